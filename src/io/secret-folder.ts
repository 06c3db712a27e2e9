import { readdir } from "node:fs/promises";
import { UsageError } from "../contract/errors.ts";

/** Throws UsageError where a folder of secrets, named by a flag, cannot be looked into; what is in it is read when it is needed. */
export async function checkSecretFolder(flag: string, folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  try {
    await readdir(folder);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    const why = { ENOENT: "is not there", ENOTDIR: "is no folder" }[code] ?? `cannot be read (${code})`;
    throw new UsageError(`${flag} ${folder}: ${why}; name a folder that holds a file for each secret`, { cause });
  }
}
