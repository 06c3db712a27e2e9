import type { Clock } from "../io/clock.ts";
import { startHttp } from "../io/http.ts";
import type { Logger } from "../io/log.ts";
import { startTelemetry } from "../io/telemetry.ts";
import { accessLogService } from "./access-log-service.ts";
import { extProcService, warm } from "./ext-proc.ts";
import { startFileSource } from "./file-source.ts";
import { type BoundServer, bindGrpcServer, createGrpcServer } from "./grpc-server.ts";
import { type NatsSide, startNatsSide } from "./nats-side.ts";
import { type SidecarOptions, SidecarOptionsSchema, type SidecarSettings } from "./options.ts";
import { loadServices } from "./protos.ts";
import { createRulesDisk, type RulesDisk } from "./rules-disk.ts";
import { createState, type SidecarState } from "./sidecar-state.ts";

/** A sidecar that serves. */
export interface RunningSidecar {
  /** Port of ext_proc; undefined on a Unix socket. */
  readonly extProcPort: number | undefined;
  /** `http://host:port` of metrics, /healthz and /readyz. */
  readonly metricsUrl: string;
  /** Drains, says goodbye and closes everything. */
  stop(): Promise<void>;
}

interface Parts {
  readonly log: Logger;
  readonly clock: Clock;
}

const BEAT_CHECK_MS = 250;
const SHUTDOWN_MS = 2_000;

/** Starts a sidecar; it serves stable for all until it has rules. Throws when an option or address cannot be used. */
export async function startSidecar(options: SidecarOptions, parts: Parts): Promise<RunningSidecar> {
  const settings = SidecarOptionsSchema.parse(options);
  const { log } = parts;
  const state = createState(settings, parts);
  const { rules, beat, health } = state;
  const disk = settings.stateDir === undefined ? undefined : createRulesDisk(settings.stateDir);
  if (disk !== undefined && "nats" in settings.source) await loadFromDisk(disk, state, parts);
  const stopFile = "file" in settings.source ? await startFileSource(settings.source.file, { rules, log }) : undefined;

  const telemetry = await startTelemetry({ service: "serin-sidecar", instance: settings.id, otlp: settings.otlp, collect: state.collect });
  const http = await startHttp(settings.metrics, { metrics: telemetry.serve, readiness: state.readiness });
  const grpc = await startGrpc(settings, state).catch(async (error: unknown) => {
    await http.stop();
    await telemetry.stop();
    stopFile?.();
    throw error;
  });
  warm(rules.compiled());
  health.set(true);
  log.info({ id: settings.id, extProc: settings.extProc, metrics: http.url, revision: rules.ruleSet().revision }, "serving");

  const nats = "nats" in settings.source ? startNatsSide(settings.source.nats, { ...parts, ...state, settings, disk }) : undefined;
  state.onCanaryFailure(() => nats?.urgent());
  const checkBeat = setInterval(() => watchBeat(state, nats), BEAT_CHECK_MS);
  checkBeat.unref();
  return {
    extProcPort: grpc.port,
    metricsUrl: http.url,
    async stop() {
      health.set(false);
      log.info("draining");
      await new Promise((resolve) => setTimeout(resolve, settings.drainMs));
      clearInterval(checkBeat);
      stopFile?.();
      await grpc.stop();
      await nats?.stop();
      await telemetry.stop();
      await http.stop();
      log.info({ beatAgeMs: beat.ageMs() }, "stopped");
    },
  };
}

async function startGrpc(settings: SidecarSettings, state: SidecarState): Promise<{ port: number | undefined; stop(): Promise<void> }> {
  const services = loadServices();
  const accessLog = accessLogService(state.accessLog);
  const main = createGrpcServer();
  main.addService(services.externalProcessor, extProcService(state.extProc));
  main.addService(services.health, state.health.implementation);
  const separate = settings.als === undefined ? undefined : createGrpcServer();
  (separate ?? main).addService(services.accessLog, accessLog.implementation);
  separate?.addService(services.health, state.health.implementation);
  const bound: BoundServer[] = [await bindGrpcServer(main, settings.extProc)];
  if (separate !== undefined && settings.als !== undefined) bound.push(await bindGrpcServer(separate, settings.als));
  return {
    port: bound[0]?.port,
    async stop() {
      accessLog.endAll();
      state.health.endAll();
      await Promise.all(bound.map((server) => server.stop(SHUTDOWN_MS)));
    },
  };
}

async function loadFromDisk(disk: RulesDisk, { rules, beat }: SidecarState, { log, clock }: Parts): Promise<void> {
  try {
    const found = await disk.load(clock.nowMs());
    if (found === undefined) return;
    rules.offer(found.ruleSet);
    beat.startAt(found.beatAgeMs);
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
