/** Messages of Envoy as proto-loader hands them over: fields in camel case, absent ones missing. Source: proto/envoy. */

export interface HeaderValue {
  readonly key?: string;
  readonly value?: string;
  readonly rawValue?: Uint8Array;
}

export interface StructValue {
  readonly stringValue?: string;
  readonly numberValue?: number;
  readonly boolValue?: boolean;
  readonly structValue?: Struct;
  readonly listValue?: { readonly values?: readonly StructValue[] };
}

export interface Struct {
  readonly fields?: Readonly<Record<string, StructValue>>;
}

/** `envoy.service.ext_proc.v3.ProcessingRequest`; `request` names the kind that is set. */
export interface ProcessingRequest {
  readonly request?: string;
  readonly requestHeaders?: { readonly headers?: { readonly headers?: readonly HeaderValue[] } };
  readonly attributes?: Readonly<Record<string, Struct>>;
}

/** `envoy.service.ext_proc.v3.ProcessingResponse`, the parts that are sent. */
export interface ProcessingResponse {
  readonly requestHeaders?: { readonly response: HeadersAnswer };
  readonly responseHeaders?: { readonly response: object };
  readonly requestBody?: { readonly response: object };
  readonly responseBody?: { readonly response: object };
  readonly requestTrailers?: object;
  readonly responseTrailers?: object;
  readonly dynamicMetadata?: Struct;
}

export interface HeadersAnswer {
  readonly status: "CONTINUE";
  readonly headerMutation: { readonly setHeaders: readonly HeaderOption[] };
  readonly clearRouteCache: true;
}

export interface HeaderOption {
  readonly header: { readonly key: string; readonly rawValue: Uint8Array };
  readonly appendAction: "OVERWRITE_IF_EXISTS_OR_ADD";
}

export interface Duration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** `envoy.data.accesslog.v3.HTTPAccessLogEntry`, the parts that are read. */
export interface HttpAccessLogEntry {
  readonly commonProperties?: {
    readonly duration?: Duration;
    readonly timeToFirstUpstreamTxByte?: Duration;
    readonly timeToLastUpstreamRxByte?: Duration;
    readonly accessLogType?: string;
    readonly upstreamCluster?: string;
    readonly upstreamRemoteAddress?: object;
    readonly upstreamRequestAttemptCount?: number;
    readonly responseFlags?: Readonly<Record<string, unknown>>;
    readonly metadata?: { readonly filterMetadata?: Readonly<Record<string, Struct>> };
  };
  readonly response?: {
    readonly responseCode?: { readonly value?: number };
    readonly responseTrailers?: Readonly<Record<string, string>>;
    readonly responseHeaders?: Readonly<Record<string, string>>;
  };
}

/** `envoy.service.accesslog.v3.StreamAccessLogsMessage`, the part that is read. */
export interface StreamAccessLogsMessage {
  readonly httpLogs?: { readonly logEntry?: readonly HttpAccessLogEntry[] };
}
