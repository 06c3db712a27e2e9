import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errors } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { STREAMS } from "../../src/contract/names.ts";
import { connectNats, ensureStreams, type NatsLink } from "../../src/io/nats.ts";
import { readPicture } from "../../src/told/picture.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

const INFO = "$JS.API.STREAM.INFO.>";
const CONFIG = `authorization { users: [
  { user: anything, password: secret }
  { user: no-info, password: secret, permissions: { publish: { deny: ["${INFO}"] } } }
  { user: no-create, password: secret, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
] }
`;

let folder: string;
let server: NatsServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serin-refuses-"));
  await writeFile(join(folder, "nats.conf"), CONFIG);
  server = await startNatsServer({ args: ["--config", join(folder, "nats.conf")] });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Closed after the test. */
async function linkOf(user: "anything" | "no-info" | "no-create"): Promise<NatsLink> {
  const creds = join(folder, `${user}.creds`);
  await writeFile(creds, `${user}:secret`, { mode: 0o600 });
  const link = await connectNats({ url: server.url, creds, name: "test", waitForServer: false });
  onTestFinished(link.close);
  return link;
}

test("a stream that may not be made is no stream with too few servers for its replicas", async () => {
  const made = ensureStreams(await linkOf("no-create"), { replicas: 3, onFewer: () => undefined });
  await expect(made).rejects.toSatisfy(
    (error: Error) => error.cause instanceof errors.PermissionViolationError || error instanceof errors.PermissionViolationError,
  );
  await expect(made).rejects.not.toThrow("cannot keep");
});

test("a picture of one rollout does not need to know how NATS keeps it, and where rollouts alone are shown that is not asked", async () => {
  const [all, few] = await Promise.all([linkOf("anything"), linkOf("no-info")]);
  await ensureStreams(all);
  const look = { name: "cart", nowMs: Date.now };
  expect(await readPicture(few, { ...look, listenMs: 1 })).toMatchObject({ rollouts: [], leader: null });

  const asked: string[] = [];
  all.connection.subscribe(INFO, { callback: (_, { subject }) => void asked.push(subject) });
  await readPicture(all, { ...look, listenMs: 0 });
  await all.connection.flush();
  expect(asked).toEqual([]);
  await readPicture(all, { ...look, listenMs: 1 });
  await all.connection.flush();
  expect(asked).toEqual([`$JS.API.STREAM.INFO.${STREAMS.state}`]);
});
