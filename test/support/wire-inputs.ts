import type { Choose } from "./wire-mutation.ts";

const NAMES = [":authority", ":path", ":method", "host", "cookie", "x-user-id", "x-forwarded-for", "user-agent", "upgrade", "ü"];
/** Texts of which the bytes of one are the letters of the other, in Latin-1. */
const TWINS = ["Υš", "Î¥Å¡"];
const VALUES = [...TWINS, "", "shop.example", "/checkout?x=1", "GET", "session=abc; theme=dark", "alice", "ünï", "v".repeat(300)];

const oneOf = <T>(list: readonly T[], choose: Choose): T | undefined => list[choose(list.length)];

function headers(choose: Choose): object {
  const list = Array.from({ length: choose(12) }, () => {
    const value = oneOf(VALUES, choose) ?? "";
    return { key: oneOf(NAMES, choose), ...(choose(4) === 0 ? { value } : { rawValue: Buffer.from(value) }) };
  });
  return { headers: list };
}

const struct = (fields: Record<string, object>): object => ({ fields });

const attributes = (choose: Choose): object => ({
  "envoy.filters.http.ext_proc": struct({
    "source.address": { stringValue: oneOf(["10.1.2.3:4711", "[2001:db8::1]:80", "/run/x.sock", "nonsense"], choose) },
    "request.id": { listValue: { values: [{ numberValue: 1 }, { nullValue: 0 }, { boolValue: true }] } },
  }),
});

/** Messages of each kind, with everything that Envoy may send beside. */
export function processingRequests(choose: Choose): object[] {
  const beside = (): object => ({
    ...(choose(2) === 0 ? {} : { attributes: attributes(choose) }),
    ...(choose(3) > 0 ? {} : { protocolConfig: { requestBodyMode: 1, sendBodyWithoutWaitingForHeaderResponse: true } }),
    ...(choose(3) > 0
      ? {}
      : {
          metadataContext: {
            filterMetadata: {
              "envoy.filters.http.jwt_authn": struct({
                serin: {
                  structValue: struct({
                    sub: { stringValue: oneOf(VALUES, choose) },
                    level: oneOf<object>([{ numberValue: 1.5 }, { boolValue: true }, { nullValue: 0 }, {}], choose) ?? {},
                    inner: { structValue: struct({ roles: { listValue: { values: [{ stringValue: "ops" }, { numberValue: 2 }, {}] } } }) },
                  }),
                },
                failed: { structValue: struct({ sub: { stringValue: "nobody" } }) },
              }),
            },
            typedFilterMetadata: { x: { type_url: "type", value: Buffer.from([1, 2]) } },
          },
        }),
  });
  const forHeaders = Array.from({ length: 60 }, () => ({
    requestHeaders: { headers: headers(choose), endOfStream: choose(2) === 0, attributes: choose(6) === 0 ? attributes(choose) : {} },
    ...beside(),
  }));
  return [
    ...forHeaders,
    { responseHeaders: { headers: headers(choose) }, ...beside() },
    { requestBody: { body: Buffer.from("body"), endOfStream: true } },
    { responseBody: { body: Buffer.alloc(0), grpcMessageCompressed: true } },
    { requestTrailers: { trailers: headers(choose) } },
    { responseTrailers: { trailers: headers(choose) }, observabilityMode: true },
    {},
  ];
}

const duration = (choose: Choose): object => ({ seconds: choose(100), nanos: choose(1_000_000_000) });
const address = { socketAddress: { address: "127.0.0.1", portValue: 80 } };

function entry(choose: Choose): object {
  const decision = struct({
    variant: { stringValue: oneOf(["stable", "canary"], choose) },
    rollout: { stringValue: oneOf(["checkout", ...TWINS], choose) },
    run: { stringValue: String(choose(9)) },
    control: { stringValue: "false" },
    cluster: { stringValue: "canary" },
    bucket: { numberValue: choose(2 ** 32) },
    priority_groups: { listValue: { values: [{ structValue: struct({ name: { stringValue: "canary" } }) }] } },
  });
  return {
    commonProperties: {
      sampleRate: 1,
      downstreamRemoteAddress: address,
      tlsProperties: {
        tlsVersion: 4,
        tlsSniHostname: "shop",
        localCertificateProperties: { subjectAltName: [{ dns: "shop" }], subject: "CN" },
      },
      startTime: { seconds: 1_700_000_000, nanos: choose(1_000_000) },
      timeToFirstUpstreamTxByte: duration(choose),
      timeToLastUpstreamRxByte: duration(choose),
      duration: duration(choose),
      ...(choose(3) === 0 ? {} : { upstreamRemoteAddress: choose(2) === 0 ? address : { pipe: { path: "/run/x", mode: 1 } } }),
      upstreamCluster: oneOf(["stable", "canary", ""], choose),
      responseFlags: choose(2) === 0 ? {} : { upstreamRemoteReset: true, unauthorizedDetails: { reason: 1 } },
      metadata: choose(4) === 0 ? {} : { filterMetadata: { serin: decision, other: struct({ a: { stringValue: "b" } }) } },
      customTags: { tag: "value" },
      filterStateObjects: { state: { type_url: "type", value: Buffer.from([1]) } },
      streamId: "id",
      upstreamRequestAttemptCount: choose(3),
      downstreamWireBytesSent: choose(2 ** 31) * 1_000,
      accessLogType: choose(9),
    },
    protocolVersion: 2,
    request: { requestMethod: 1, path: "/checkout", port: { value: 80 }, requestHeaders: { a: "b" }, requestBodyBytes: 10 },
    response: {
      responseCode: { value: oneOf([200, 404, 503], choose) },
      responseHeadersBytes: 10,
      responseHeaders: choose(2) === 0 ? {} : { "grpc-status": "14", other: "1" },
      responseTrailers: choose(2) === 0 ? {} : { "grpc-status": "0" },
      responseCodeDetails: "via_upstream",
    },
  };
}

const node = {
  id: "edge",
  cluster: "edge",
  metadata: struct({ a: { stringValue: "b" } }),
  locality: { region: "r", zone: "z" },
  userAgentBuildVersion: { version: { majorNumber: 1, minorNumber: 40 }, metadata: struct({ ssl: { stringValue: "BoringSSL" } }) },
  extensions: [{ name: "envoy.router", category: "http", typeUrls: ["a", "b"] }],
  clientFeatures: ["x"],
  dynamicParameters: { p: { params: { k: "v" } } },
  listeningAddresses: [address],
};

/** Batches of entries, the first of a stream with its sender. */
export function accessLogs(choose: Choose): object[] {
  const batches = Array.from({ length: 40 }, (_, index) => ({
    ...(index % 4 === 0 ? { identifier: { node, logName: "serin" } } : {}),
    httpLogs: { logEntry: Array.from({ length: 1 + choose(3) }, () => entry(choose)) },
  }));
  return [...batches, { tcpLogs: { logEntry: [{ connectionProperties: { receivedBytes: 5 } }] } }, {}];
}
