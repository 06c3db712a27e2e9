import { connect } from "@nats-io/transport-node";
import { expect, onTestFinished, test } from "vitest";
import { startNatsServer as startWith } from "../../../src/demo/nats-server.ts";
import { type NatsServer, startNatsServer } from "../../support/nats-server.ts";

async function started(): Promise<NatsServer> {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  return server;
}

test("two servers at a time have ports and stores of their own", async () => {
  const [one, other] = await Promise.all([started(), started()]);
  expect(one.port).not.toBe(other.port);
});

test("a killed server comes back on the same port", async () => {
  const server = await started();
  const before = server.pid();
  await server.kill();
  await expect(connect({ servers: server.url, reconnect: false, timeout: 1_000 })).rejects.toThrow("connection refused");
  await server.restart();
  const connection = await connect({ servers: server.url });
  await connection.flush();
  await connection.close();
  expect(server.pid()).not.toBe(before);
});

test("a server that cannot start says why", async () => {
  const server = await started();
  await expect(startNatsServer({ port: server.port })).rejects.toThrow(/did not become ready(.|\n)*address already in use/);
});

test("a program that cannot be run is named", async () => {
  await expect(startWith({ program: "/nowhere/nats-server" })).rejects.toThrow("nats-server cannot be started: /nowhere/nats-server");
});
