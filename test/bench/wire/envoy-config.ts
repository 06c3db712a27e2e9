import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import { shippedEnvoyConfig } from "../../../src/demo/envoy.ts";

/** The shipped configuration with one thing changed. */
export type EnvoyChange = "with resets" | "with the access log stream";

/** A configuration of the benchmark's own. */
export interface EnvoyConfigFile {
  readonly configPath: string;
}

const GRACEFUL = ["layered_runtime", "layers", 0, "static_layer", "envoy.reloadable_features.ext_proc_graceful_grpc_close"];

/** Where the access logs stand in the shipped configuration, and where clusters do. */
export const ACCESS_LOG = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "access_log"];
export const CLUSTERS = ["static_resources", "clusters"];

/** Envoy's access log stream, as meshes configure it. */
export const streamLogger = (): object => ({
  name: "envoy.access_loggers.http_grpc",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
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
});

/** Writes the changed configuration into a directory; gives its path. Throws when the shipped one has nothing to change. */
export async function writeChangedConfig(change: EnvoyChange, directory: string): Promise<string> {
  const document = await shippedDocument();
  const path = change === "with resets" ? GRACEFUL : ACCESS_LOG;
  requirePath(document, path);
  document.setIn(path, change === "with resets" ? false : [streamLogger()]);
  return write(document, join(directory, `${change.replaceAll(" ", "-")}.yaml`));
}

/** The shipped configuration, to be changed. */
export const shippedDocument = async (): Promise<Document> => parseDocument(await readFile(shippedEnvoyConfig(), "utf8"));

/** Throws when nothing stands there: the shipped configuration has another form now. */
export function requirePath(document: Document, path: readonly (string | number)[]): void {
  if (!document.hasIn(path)) throw new Error(`the shipped configuration of Envoy has no ${path.join(".")}`);
}

/** Writes a configuration; gives its path. */
export async function write(document: Document, path: string): Promise<string> {
  await writeFile(path, document.toString());
  return path;
}
