import { destination, type Logger, pino, stdSerializers } from "pino";

export type { Logger } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger that writes JSON lines to stderr, so that stdout stays the program's own. */
export function createLog({ name, level }: { name: string; level: LogLevel }): Logger {
  // Without its serializer an error is logged as {}.
  return pino(
    { name, level, base: { name, pid: process.pid }, serializers: { error: stdSerializers.err } },
    destination({ fd: 2, sync: true }),
  );
}
