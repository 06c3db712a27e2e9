import process from "node:process";
import type { TestProject } from "vitest/node";
import { findProgram, programCacheDir } from "../../src/demo/programs.ts";
import { createLog } from "../../src/io/log.ts";
import { findPrometheus } from "./prometheus-program.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of Envoy, found before the first test. */
    envoyProgram: string;
    /** Path of nats-server, found before the first test. */
    natsServerProgram: string;
    /** Path of prometheus, found before the first test. */
    prometheusProgram: string;
    /** Path of promtool, found before the first test. */
    promtoolProgram: string;
  }
}

/** Finds the real servers once for all tests. A missing one fails the run with the ways to install it: nothing is skipped. */
export async function setup(project: TestProject): Promise<void> {
  const options = { env: process.env, cacheDir: programCacheDir(), log: createLog({ name: "tests", level: "info" }) };
  const envoy = await findProgram("envoy", options);
  const natsServer = await findProgram("nats-server", options);
  const { prometheus, promtool } = await findPrometheus(options);
  project.provide("envoyProgram", envoy.path);
  project.provide("natsServerProgram", natsServer.path);
  project.provide("prometheusProgram", prometheus);
  project.provide("promtoolProgram", promtool);
  // For the processes that tests start, so that none of them looks again.
  process.env["ENVOY_BIN"] = envoy.path;
  process.env["NATS_SERVER_BIN"] = natsServer.path;
  process.env["PROMETHEUS_BIN"] = prometheus;
}
