import { createServer } from "node:net";
import { join } from "node:path";
import type { Stops } from "./bench.ts";
import { ACCESS_LOG, CLUSTERS, type EnvoyConfigFile, requirePath, shippedDocument, streamLogger, write } from "./envoy-config.ts";

/** The request header by which the benchmark says which of Envoy's loggers is to write an entry; `none` is none of them. */
export const LOG_HEADER = "x-bench-log";

const TYPES = "type.googleapis.com/envoy.extensions.access_loggers";

const onlyFor = (name: string) => ({ header_filter: { header: { name: LOG_HEADER, string_match: { exact: name } } } });

/**
 * One Envoy with several loggers, of which each request chooses one: two Envoys differ by some percent without a reason.
 * `lines` is the shipped one and `als` the access log stream, both read by the sidecar; `file` writes the same lines to /dev/null;
 * `fluentd` sends them to a socket that is read and forgotten.
 */
export async function writeLoggersConfig(directory: string, stops: Stops): Promise<EnvoyConfigFile> {
  const document = await shippedDocument();
  requirePath(document, ACCESS_LOG);
  const shipped = document.toJS();
  const [lines] = ACCESS_LOG.reduce((at, part) => at[part], shipped);
  const line: string = lines.typed_config.body.string_value;
  const socket = join(directory, "fluentd.sock");
  await startSink(socket, stops);
  document.setIn(ACCESS_LOG, [
    { ...lines, filter: { and_filter: { filters: [lines.filter, onlyFor("lines")] } } },
    { ...streamLogger(), filter: onlyFor("als") },
    {
      name: "envoy.access_loggers.file",
      filter: onlyFor("file"),
      typed_config: {
        "@type": `${TYPES}.file.v3.FileAccessLog`,
        path: "/dev/null",
        log_format: { text_format_source: { inline_string: `${line}\n` } },
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
        record: { outcome: line },
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
