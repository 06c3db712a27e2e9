import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { SerinError } from "../../contract/errors.ts";
import { EXIT, type ExitCode } from "../../contract/exit-codes.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import type { LogLevel } from "../../io/log-levels.ts";
import { createEasySlices } from "../../io/slices.ts";
import type { SidecarOptions } from "../options.ts";
import type { RunningSidecar } from "../sidecar.ts";
import { type ToWorker, ToWorkerSchema, type WorkerSays } from "./messages.ts";

/** The way to the parent. */
export interface ParentChannel {
  /** Resolves when the message is out, or nobody is there to take it. */
  send(message: WorkerSays): Promise<void>;
  onMessage(listener: (message: unknown) => void): void;
  /** Resolves when the parent is gone. */
  readonly broken: Promise<void>;
  /** Lets this process end. */
  close(): void;
}

interface Parts {
  readonly channel: ParentChannel;
  /** Aborted by a signal to this process alone: it drains, and the parent starts it again. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  createLog(level: LogLevel): Logger;
  start(options: SidecarOptions, parts: { log: Logger; clock: Clock }): Promise<RunningSidecar>;
}

/** Nobody would take over, and the next parent wants the sockets; long enough for the requests that are in flight. */
const ORPHAN_MS = 250;

/** Runs one of several workers until its parent says stop or is gone, or its own signal comes. Its process should then end at once. */
export async function runWorker(parts: Parts): Promise<ExitCode> {
  const { channel } = parts;
  const stopping = new AbortController();
  parts.signal.addEventListener("abort", () => stopping.abort());
  if (parts.signal.aborted) stopping.abort();
  const orphaned = channel.broken.then(async () => {
    stopping.abort();
    await delay(ORPHAN_MS);
    return EXIT.ourError;
  });
  const code = await Promise.race([serve(parts, stopping), orphaned]);
  channel.close();
  return code;
}

async function serve({ channel, clock, createLog, start }: Parts, stopping: AbortController): Promise<ExitCode> {
  let running: RunningSidecar | undefined;
  let log = createLog("info");
  // One after the other: counts that are told late must not be older than what was told before.
  let answered = Promise.resolve();
  const begun = new Promise<Extract<ToWorker, { type: "start" }>>((resolve) => {
    channel.onMessage((unchecked) => {
      const message = ToWorkerSchema.parse(unchecked);
      switch (message.type) {
        case "start":
          return resolve(message);
        case "ask":
          answered = answered
            .then(() => answer(message, running, channel))
            .catch((error: unknown) => log.error({ error }, "the parent's question was not answered"));
          return;
        case "stop":
          return stopping.abort();
      }
    });
  });
  const { options, logLevel } = await begun;
  log = createLog(logLevel);
  try {
    running = await start(options, { log, clock });
  } catch (error) {
    await channel.send(failureOf(error));
    return EXIT.ourError;
  }
  const { extProcPort, alsPort } = running;
  await channel.send({ type: "serving", extProcPort, alsPort });
  await aborted(stopping.signal);
  await running.stop();
  await answered;
  await channel.send({ type: "last", metrics: [...running.collect()] });
  return EXIT.done;
}

async function answer(
  { request, about }: Extract<ToWorker, { type: "ask" }>,
  running: RunningSidecar | undefined,
  channel: ParentChannel,
): Promise<void> {
  // The parent does not ask before it has heard that this one serves.
  if (running === undefined) return;
  switch (about) {
    case "metrics":
      return tellMetrics(request, running, channel);
    case "readiness": {
      const { isReady, body } = await running.readiness();
      return channel.send({ type: "readiness", request, isReady, body: { ...body } });
    }
  }
}

/** In parts, so that requests are answered meanwhile. */
async function tellMetrics(request: number, running: RunningSidecar, channel: ParentChannel): Promise<void> {
  const slices = createEasySlices();
  for (const part of running.collect()) {
    await channel.send({ type: "metrics", request, metrics: [part], isLast: false });
    await slices();
  }
  await channel.send({ type: "metrics", request, metrics: [], isLast: true });
}

function failureOf(error: unknown): WorkerSays {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SerinError) return { type: "failed", code: error.code, exitCode: error.exitCode, message };
  const isUsage = error instanceof z.ZodError;
  return { type: "failed", code: isUsage ? "USAGE" : "INTERNAL", exitCode: isUsage ? EXIT.usage : EXIT.ourError, message };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
