import type { ListeningPlace } from "../io/listening.ts";
import { accessLogService } from "./access-log-service.ts";
import { extProcMethod } from "./ext-proc.ts";
import { type BoundServer, bindGrpcServer, type Methods } from "./grpc-server.ts";
import type { Method } from "./h2/stream.ts";
import { logLinesMethod } from "./log-lines-service.ts";
import type { SidecarSettings } from "./options.ts";
import type { SidecarState } from "./sidecar-state.ts";
import { warm } from "./warm.ts";

/** How to stop what was started, the last first. */
export type Stops = (() => unknown)[];

/** Ports that the system chose; undefined on Unix sockets, and for access logs without an address of their own. */
export interface GrpcPorts {
  readonly extProcPort: number | undefined;
  readonly alsPort: number | undefined;
}

const SHUTDOWN_MS = 2_000;

/** Binds one server, or two where access logs have their own address. Throws UsageError when an address cannot be used. */
export async function startGrpc({ extProc, als }: SidecarSettings, state: SidecarState, stops: Stops): Promise<GrpcPorts> {
  warm();
  const accessLog = accessLogService(state.accessLog);
  const ports = {
    surprise: state.extProc.surprise,
    lastStreams: () => {
      accessLog.endAll();
      state.health.endAll();
    },
  };
  const health: [string, Method][] = [
    ["/grpc.health.v1.Health/Check", state.health.check],
    ["/grpc.health.v1.Health/Watch", state.health.watch],
  ];
  const decisions: [string, Method] = ["/envoy.service.ext_proc.v3.ExternalProcessor/Process", extProcMethod(state.extProc)];
  const outcomes: [string, Method][] = [
    ["/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", accessLog.method],
    ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", logLinesMethod(state.accessLog)],
    ["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", state.envoyStats.method],
  ];
  const bound: BoundServer[] = [];
  const bind = async (methods: Methods, place: ListeningPlace): Promise<void> => {
    bound.push(await bindGrpcServer(methods, place, ports));
  };
  await bind(new Map([decisions, ...(als === undefined ? outcomes : []), ...health]), {
    address: extProc,
    what: "ext_proc",
    flag: "--ext-proc",
  });
  stops.unshift(() => Promise.all(bound.map((server) => server.stop(SHUTDOWN_MS))));
  if (als !== undefined) await bind(new Map([...outcomes, ...health]), { address: als, what: "access log", flag: "--als" });
  return { extProcPort: bound[0]?.port, alsPort: bound[1]?.port };
}
