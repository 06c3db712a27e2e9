import { createServer } from "node:net";
import { join } from "node:path";
import type { Stops } from "./bench.ts";
import { ACCESS_LOG, CLUSTERS, type EnvoyConfigFile, requirePath, shippedDocument, write } from "./envoy-config.ts";

/** The request header by which the benchmark says which of Envoy's loggers is to write an entry; `none` is none of them. */
export const LOG_HEADER = "x-bench-log";

const TYPES = "type.googleapis.com/envoy.extensions.access_loggers";

/** As few fields as outcomes could do with: the decision as one text, and how the request ended. */
const LINE = [
  "%DYNAMIC_METADATA(serin:outcome)%",
  "%RESPONSE_CODE%",
  "%RESPONSE_FLAGS%",
  "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
  "%UPSTREAM_HOST%",
  "%COMMON_DURATION(US_TX_BEG:US_RX_END:ns)%",
  "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)%",
  "%DURATION%",
  "%RESP(grpc-status):4%",
  "%TRAILER(grpc-status):4%",
  "%UPSTREAM_CLUSTER_RAW%",
].join("\n");

const onlyFor = (name: string) => ({ header_filter: { header: { name: LOG_HEADER, string_match: { exact: name } } } });

/**
 * One Envoy with several loggers, of which each request chooses one: two Envoys differ by some percent without a reason.
 * `als` is the shipped one; `file` writes text to /dev/null; `fluentd` sends text to a socket that is read and forgotten.
 */
export async function writeLoggersConfig(directory: string, stops: Stops): Promise<EnvoyConfigFile> {
  const document = await shippedDocument();
  requirePath(document, ACCESS_LOG);
  const shipped = document.toJS();
  const [lines] = ACCESS_LOG.reduce((at, part) => at[part], shipped);
  void lines;
  const socket = join(directory, "fluentd.sock");
  await startSink(socket, stops);
  document.setIn(ACCESS_LOG, [
    {
      name: "envoy.access_loggers.http_grpc",
      filter: onlyFor("als"),
      typed_config: {
        "@type": `${TYPES}.grpc.v3.HttpGrpcAccessLogConfig`,
        common_config: {
          log_name: "serin",
          transport_api_version: "V3",
          grpc_service: { envoy_grpc: { cluster_name: "serin", skip_envoy_headers: true } },
          buffer_flush_interval: "0.2s",
          buffer_size_bytes: 65_536,
        },
        additional_response_headers_to_log: ["grpc-status"],
        additional_response_trailers_to_log: ["grpc-status"],
      },
    },
    {
      name: "envoy.access_loggers.open_telemetry",
      filter: onlyFor("otel"),
      typed_config: {
        "@type": `${TYPES}.open_telemetry.v3.OpenTelemetryAccessLogConfig`,
        log_name: "serin",
        grpc_service: { envoy_grpc: { cluster_name: "serin", skip_envoy_headers: true } },
        buffer_flush_interval: "0.2s",
        buffer_size_bytes: 65_536,
        disable_builtin_labels: true,
        body: { string_value: LINE },
      },
    },
    {
      name: "envoy.access_loggers.file",
      filter: onlyFor("file"),
      typed_config: {
        "@type": `${TYPES}.file.v3.FileAccessLog`,
        path: "/dev/null",
        log_format: { text_format_source: { inline_string: `${LINE}\n` } },
      },
    },
    {
      name: "envoy.access_loggers.fluentd",
      filter: onlyFor("fluentd"),
      typed_config: {
        "@type": `${TYPES}.fluentd.v3.FluentdAccessLogConfig`,
        cluster: "fluentd",
        tag: "serin",
        stat_prefix: "serin",
        buffer_flush_interval: "0.2s",
        buffer_size_bytes: 65_536,
        record: { outcome: LINE },
      },
    },
  ]);
  const endpoint = { lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] };
  document.addIn(CLUSTERS, { name: "fluentd", type: "STATIC", load_assignment: { cluster_name: "fluentd", endpoints: [endpoint] } });
  return { configPath: await write(document, join(directory, "loggers.yaml")) };
}

/** Reads what Envoy sends, and forgets it. */
async function startSink(path: string, stops: Stops): Promise<void> {
  const sink = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume();
    stops.push(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => sink.once("error", reject).listen(path, resolve));
  stops.push(() => sink.close());
}
