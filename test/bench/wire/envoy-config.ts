import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { shippedEnvoyConfig } from "../../../src/demo/envoy.ts";

/** The shipped configuration with one thing changed. */
export type EnvoyChange = "without outcomes" | "with resets";

const GRACEFUL = ["layered_runtime", "layers", 0, "static_layer", "envoy.reloadable_features.ext_proc_graceful_grpc_close"];
const ACCESS_LOG = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "access_log"];

/** Writes the changed configuration into a directory; gives its path. Throws when the shipped one has nothing to change. */
export async function writeChangedConfig(change: EnvoyChange, directory: string): Promise<string> {
  const document = parseDocument(await readFile(shippedEnvoyConfig(), "utf8"));
  const path = change === "with resets" ? GRACEFUL : ACCESS_LOG;
  if (!document.hasIn(path)) throw new Error(`the shipped configuration of Envoy has no ${path.join(".")}`);
  if (change === "with resets") document.setIn(path, false);
  else document.deleteIn(path);
  const changedPath = join(directory, `${change.replaceAll(" ", "-")}.yaml`);
  await writeFile(changedPath, document.toString());
  return changedPath;
}
