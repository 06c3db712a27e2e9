import { setTimeout as delay } from "node:timers/promises";
import type { MetricData } from "@opentelemetry/sdk-metrics";
import type { Clock } from "../io/clock.ts";
import { type HttpPorts, startHttp } from "../io/http.ts";
import { readOperatorKeys } from "../io/kill-signatures.ts";
import { createKillSwitch } from "../io/kill-switch.ts";
import type { Logger } from "../io/log.ts";
import { natsAccess } from "../io/nats-access.ts";
import { startTelemetry } from "../io/telemetry.ts";
import { readSecrets } from "./extras-ports.ts";
import { startFileSource } from "./file-source.ts";
import { serveWhenSure } from "./first-serving.ts";
import { type Stops, startGrpc } from "./grpc-side.ts";
import { startKillOrders } from "./kill-orders.ts";
import { loadNatsSide } from "./late-modules.ts";
import type { NatsSide } from "./nats-side.ts";
import { type SidecarOptions, SidecarOptionsSchema, type SidecarSettings } from "./options.ts";
import { createRulesDisk, type RulesDisk } from "./rules-disk.ts";
import { createState, type SidecarState } from "./sidecar-state.ts";

/** A sidecar that serves. */
export interface RunningSidecar {
  /** Port of ext_proc; undefined on a Unix socket. */
  readonly extProcPort: number | undefined;
  /** Port of the access logs; undefined on a Unix socket, and where they have no address of their own. */
  readonly alsPort: number | undefined;
  /** `http://host:port` of metrics, /healthz and /readyz; undefined where they are off. */
  readonly metricsUrl: string | undefined;
  /** What it shows as metrics, in parts that are made as they are asked for. */
  collect(): Iterable<MetricData>;
  /** What /readyz says. */
  readiness(): ReturnType<HttpPorts["readiness"]>;
  /** Drains, says goodbye and closes everything; a second call waits for the first. */
  stop(): Promise<void>;
}

interface Parts {
  readonly log: Logger;
  readonly clock: Clock;
}

const BEAT_CHECK_MS = 250;
const FORGET_MS = 10_000;

/** Starts a sidecar; it serves stable for all until it has rules. Throws when an option or address cannot be used. */
export async function startSidecar(options: SidecarOptions, parts: Parts): Promise<RunningSidecar> {
  const settings = SidecarOptionsSchema.parse(options);
  const stops: Stops = [];
  try {
    return await start(settings, parts, stops);
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

async function start(settings: SidecarSettings, parts: Parts, stops: Stops): Promise<RunningSidecar> {
  const { source, drainMs } = settings;
  const { log } = parts;
  const access = "nats" in source ? natsAccess(source) : undefined;
  const keys = settings.operatorKeys === undefined ? new Map() : await readOperatorKeys(settings.operatorKeys);
  const kills = createKillSwitch(keys, log);
  const state = createState(settings, { ...parts, secrets: await readSecrets(settings), kills });
  const { rules, health } = state;
  const disk = access !== undefined && settings.stateDir !== undefined ? createRulesDisk(settings.stateDir) : undefined;
  if (disk !== undefined) await loadFromDisk(disk, state, parts);
  const killOrders = await startKillOrders(kills, settings, { rules, log });
  stops.unshift(killOrders.stop);
  if ("file" in source) stops.unshift(await startFileSource(source.file, { rules, log }));

  // What is pushed is loaded in one piece, for which requests would wait too long; the last push, after gRPC and NATS, holds everything.
  const metricsUrl = await startMetrics(settings, { ...parts, ...state }, stops);
  let nats: NatsSide | undefined;
  // Stopped after gRPC: the last outcomes go out before the goodbye.
  stops.unshift(() => nats?.stop());
  const ports = await startGrpc(settings, state, stops);
  log.info({ id: settings.id, extProc: settings.extProc, metrics: metricsUrl }, "listening");
  const first = serveWhenSure(state, settings, log);

  state.onCanaryFailure((rollout) => nats?.urgent(rollout));
  const checkBeat = setInterval(() => watchBeat(state, nats), BEAT_CHECK_MS);
  checkBeat.unref();
  const forget = setInterval(state.forgetOver, FORGET_MS);
  forget.unref();
  stops.unshift(
    state.times.watchLoop(),
    () => clearInterval(checkBeat),
    () => clearInterval(forget),
  );
  // Only now, because NATS may be away, and because no request needs any of it: it takes as long to load as all of the rest.
  if (access !== undefined) {
    const { startNatsSide } = await loadNatsSide();
    nats = startNatsSide(access, { ...parts, ...state, settings, disk, killOrders, onTold: first.told });
  }
  const stop = async (): Promise<void> => {
    first.stop();
    health.set(false);
    log.info({ drainMs }, "draining");
    await delay(drainMs);
    await stopAll(stops);
    log.info("stopped");
  };
  let stopped: Promise<void> | undefined;
  return { ...ports, metricsUrl, collect: state.collect, readiness: state.readiness, stop: () => (stopped ??= stop()) };
}

/** Shows and pushes what is wanted; undefined where nothing is shown. */
async function startMetrics(
  { id, metrics, otlp }: SidecarSettings,
  state: SidecarState & Parts,
  stops: Stops,
): Promise<string | undefined> {
  const { collect, slices, log, readiness } = state;
  const telemetry = await startTelemetry({ service: "serin-sidecar", instance: id, otlp, collect, slices, log });
  stops.unshift(telemetry.stop);
  state.trace(telemetry.span);
  if (metrics === "off") return undefined;
  const http = await startHttp({ address: metrics, what: "metrics", flag: "--metrics" }, { metrics: telemetry.serve, readiness });
  stops.unshift(http.stop);
  return http.url;
}

async function stopAll(stops: Stops): Promise<void> {
  for (const stop of stops) await stop();
}

async function loadFromDisk(disk: RulesDisk, { rules, beat }: SidecarState, { log, clock }: Parts): Promise<void> {
  try {
    const found = await disk.load(clock.nowMs());
    if (found === undefined) return;
    beat.startAt(found.beatAgeMs);
    rules.offer(found.ruleSet);
    log.info({ revision: found.ruleSet.revision, beatAgeMs: found.beatAgeMs }, "last good rules read from disk");
  } catch (error) {
    log.error({ error }, "rules on disk cannot be read; stable for all until NATS answers");
  }
}

function watchBeat({ rules, standing }: SidecarState, nats: NatsSide | undefined): void {
  const now = standing();
  rules.setUnwatched(now === "unwatched");
  nats?.standingIs(now);
}
