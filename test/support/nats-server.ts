import { inject } from "vitest";
import * as demo from "../../src/demo/nats-server.ts";

export type { NatsServer } from "../../src/demo/nats-server.ts";

/** A real NATS server with JetStream on a loopback port that the system chooses, with a store of its own. */
export const startNatsServer = (options: Omit<demo.NatsServerOptions, "program"> = {}): Promise<demo.NatsServer> =>
  demo.startNatsServer({ program: inject("natsServerProgram"), ...options });
