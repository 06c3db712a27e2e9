import { join } from "node:path";
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { packageRoot } from "../io/package-root.ts";

/** The gRPC services that a sidecar offers. */
export interface Services {
  readonly externalProcessor: ServiceDefinition;
  readonly accessLog: ServiceDefinition;
  readonly health: ServiceDefinition;
}

/** Loads the vendored protocol files; about 50 ms, once per process. */
export function loadServices(): Services {
  const root = join(packageRoot(), "proto");
  const files = [
    "envoy/service/ext_proc/v3/external_processor.proto",
    "envoy/service/accesslog/v3/als.proto",
    "grpc/health/v1/health.proto",
  ];
  const loaded = loadPackageDefinition(loadSync(files, { includeDirs: [root], longs: Number, enums: String, oneofs: true }));
  return {
    externalProcessor: service(loaded, "envoy.service.ext_proc.v3.ExternalProcessor"),
    accessLog: service(loaded, "envoy.service.accesslog.v3.AccessLogService"),
    health: service(loaded, "grpc.health.v1.Health"),
  };
}

function service(loaded: GrpcObject, path: string): ServiceDefinition {
  let at: unknown = loaded;
  for (const part of path.split(".")) at = isRecord(at) ? at[part] : undefined;
  if (!isService(at)) throw new Error(`the protocol files hold no service ${path}`);
  return at.service;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  (typeof value === "object" || typeof value === "function") && value !== null;
const isService = (value: unknown): value is ServiceClientConstructor => typeof value === "function" && "service" in value;
