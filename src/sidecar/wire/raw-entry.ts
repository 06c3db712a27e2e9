/** A decision as its metadata stands in an entry: texts as they were found, which may be any. */
export interface RawDecision {
  variant: string | undefined;
  rollout: string | undefined;
  run: string | undefined;
  control: string | undefined;
  cluster: string | undefined;
  session: string | undefined;
  also: string | undefined;
  bucket: number | undefined;
}

/** What is read of one `HTTPAccessLogEntry` (accesslog.proto); times in milliseconds. */
export interface RawEntry {
  /** `AccessLogType`. */
  type: number;
  /** Undefined without metadata of the sidecar. */
  decision: RawDecision | undefined;
  upstreamCluster: string;
  hasUpstreamAddress: boolean;
  /** Parity of the bytes of that address: the same for the same host. */
  isOddAddress: boolean;
  attempts: number;
  /** Names of Envoy's response flags that are set. */
  flags: string[];
  durationMs: number | undefined;
  firstUpstreamTxMs: number | undefined;
  lastUpstreamRxMs: number | undefined;
  firstDownstreamTxMs: number | undefined;
  responseCode: number;
  /** `grpc-status` of the headers and of the trailers. */
  headerStatus: string | undefined;
  trailerStatus: string | undefined;
}

/** A decision of which nothing was read yet. */
export const emptyDecision = (): RawDecision => ({
  variant: undefined,
  rollout: undefined,
  run: undefined,
  control: undefined,
  cluster: undefined,
  session: undefined,
  also: undefined,
  bucket: undefined,
});

/** An entry of which nothing was read yet. */
export const emptyEntry = (): RawEntry => ({
  type: 0,
  decision: undefined,
  upstreamCluster: "",
  hasUpstreamAddress: false,
  isOddAddress: false,
  attempts: 0,
  flags: [],
  durationMs: undefined,
  firstUpstreamTxMs: undefined,
  lastUpstreamRxMs: undefined,
  firstDownstreamTxMs: undefined,
  responseCode: 0,
  headerStatus: undefined,
  trailerStatus: undefined,
});
