import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { argo } from "./peers/argo.ts";
import { flagger } from "./peers/flagger.ts";
import { kayenta } from "./peers/kayenta.ts";
import { naive } from "./peers/naive.ts";
import type { PolicyFactory } from "./run.ts";

const KNOWN: Readonly<Record<string, PolicyFactory>> = { flagger, argo, kayenta, naive };

/** Other people's judges: who harms fewest of these is what Serin is compared with. */
export const PEERS: readonly string[] = ["flagger", "argo", "kayenta"];

/** The project's own judge and ramp. */
const SERIN = new URL("../adapter.ts", import.meta.url).href;

/** A judge by name: `serin`, a peer, or `FILE#FUNCTION` of a module (`createPolicy` when no function is named). Throws when there is none. */
export async function findPolicy(name: string): Promise<PolicyFactory> {
  const own = KNOWN[name];
  if (own !== undefined) return own;
  const [file = "", exported = "createPolicy"] = name.split("#");
  const module: Readonly<Record<string, unknown>> = await import(
    name === "serin" ? SERIN : pathToFileURL(resolve(process.cwd(), file)).href
  );
  const factory = module[exported];
  if (typeof factory !== "function")
    throw new Error(`--policies ${name}: the module exports no function ${exported}; export one, or name it after #`);
  return () => factory();
}
