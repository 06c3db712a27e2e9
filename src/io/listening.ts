import { existsSync } from "node:fs";
import type { ListenOptions, Server } from "node:net";
import { dirname } from "node:path";
import { UsageError } from "../contract/errors.ts";

/** Where a program listens, for what, and the flag that says so. */
export interface ListeningPlace {
  /** `unix:PATH` or `HOST:PORT`. */
  readonly address: string;
  /** What is served there, as errors call it: `metrics`. */
  readonly what: string;
  readonly flag: string;
}

/** Listens. Throws UsageError, which names the place and its flag, when the address is taken or cannot be used. */
export async function listenOn(server: Server, { address, what, flag }: ListeningPlace): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(listenOptions(address), resolve);
    });
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    const why = isTaken ? "is in use" : `cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`;
    const folder = missingFolder(address);
    const said = folder === undefined ? `${why}; give another by ${flag}` : `is in a folder that is not there; make ${folder}`;
    throw new UsageError(`${what} address ${address} ${said}`, { cause });
  }
}

/** Node calls a socket without its folder a matter of permission. */
function missingFolder(address: string): string | undefined {
  const folder = address.startsWith("unix:") ? dirname(address.slice("unix:".length)) : ".";
  return existsSync(folder) ? undefined : folder;
}

function listenOptions(address: string): ListenOptions {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}
