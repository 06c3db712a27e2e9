import { destination, type Logger, pino, stdSerializers } from "pino";
import type { LogLevel } from "./log-levels.ts";

export type { Logger } from "pino";

/** A logger that writes JSON lines to stderr, so that stdout stays the program's own. */
export function createLog({ name, level }: { name: string; level: LogLevel }): Logger {
  // Without its serializer an error is logged as {}.
  return pino(
    { name, level, base: { name, pid: process.pid }, serializers: { error: stdSerializers.err } },
    destination({ fd: 2, sync: true }),
  );
}
