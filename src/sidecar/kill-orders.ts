import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { killsOf } from "../core/decide/kills.ts";
import type { KillSwitch } from "../io/kill-switch.ts";
import type { Logger } from "../io/log.ts";
import type { CurrentRules } from "./current-rules.ts";
import type { SidecarSettings } from "./options.ts";

/** Operators' orders as they come in. */
export interface KillOrders {
  /** Obeys an order at once, and keeps it for the next start. */
  hear(data: Uint8Array): void;
  /** Resolves when the last one is on disk. */
  stop(): Promise<void>;
}

interface Parts {
  readonly rules: CurrentRules;
  readonly log: Logger;
}

const KeptSchema = z.array(z.string());

/** Begins with the orders that were kept: one that was given holds over a restart, also when NATS is away.*/
export async function startKillOrders(orders: KillSwitch, { stateDir }: SidecarSettings, { rules, log }: Parts): Promise<KillOrders> {
  const path = stateDir === undefined ? undefined : join(stateDir, "kills.json");
  let saving = Promise.resolve();
  const save = (directory: string, file: string): void => {
    saving = saving.then(async () => {
      try {
        await mkdir(directory, { recursive: true });
        await writeFile(`${file}.next`, JSON.stringify(orders.kept()));
        await rename(`${file}.next`, file);
      } catch (error) {
        log.error({ error }, "orders to switch off cannot be kept on disk");
      }
    });
  };
  if (path !== undefined) for (const text of await keptIn(path, log)) orders.hear(Buffer.from(text));
  rules.setKills(killsOf(orders.inForce()), orders.heard());
  return {
    hear(data) {
      const isNew = orders.hear(data);
      // Also of a refused one: who gave it waits for the word.
      rules.setKills(isNew ? killsOf(orders.inForce()) : rules.compiled().kills, orders.heard());
      if (isNew && path !== undefined && stateDir !== undefined) save(stateDir, path);
    },
    stop: () => saving,
  };
}

async function keptIn(path: string, log: Logger): Promise<readonly string[]> {
  try {
    return KeptSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    log.error({ error }, "kept orders to switch off cannot be read; they hold again when NATS answers");
    return [];
  }
}
