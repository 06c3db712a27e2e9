import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METRICS } from "../../src/contract/names.ts";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Edge, type EdgeOptions, startEdge } from "../support/edge.ts";
import { withHttp2Upstreams } from "../support/edge-config.ts";
import { type EdgeUpstream, startGrpcUpstream, startHttp1Upstream } from "../support/edge-upstreams.ts";
import { grpc, openWebSocket } from "../support/speakers.ts";

const HOST = "shop.example";
const SECRET = "a-secret-of-many-letters";
const COOKIE = /^__Host-serin-id=[\w-]{22}\.[\w-]{22}(?=; Max-Age=31536000; Path=\/; Secure; HttpOnly; SameSite=Lax$)/;
/** What an application sets by itself, and what it should not. */
const OWN = { "set-cookie": ["cart=1", "theme=dark"], "x-serin-explain": "made up" };

interface Got {
  readonly by: unknown;
  /** The cookie of ours that was set, as the browser sends it back. */
  readonly issued: string | undefined;
  /** All other cookies. */
  readonly own: readonly string[];
  readonly explained: unknown;
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
}

async function ask({ envoy }: Pick<Edge, "envoy">, { headers = {}, method = "GET", path = "/" }: Asked = {}): Promise<Got> {
  const sent = httpRequest({ port: envoy.port, host: "127.0.0.1", agent: false, method, path, headers: { host: HOST, ...headers } }).end();
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  const { "set-cookie": cookies = [], "x-serin-explain": explained, "x-answered-by": by }: IncomingHttpHeaders = response.headers;
  const issued = cookies.map((cookie) => COOKIE.exec(cookie)?.[0]).find((cookie) => cookie !== undefined);
  return { by, issued, own: cookies.filter((cookie) => !COOKIE.test(cookie)), explained };
}

let directory: string;
let secretArgs: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "serin-keys-"));
  const [key, secrets] = [join(directory, "key"), join(directory, "secrets")];
  await writeFile(key, randomBytes(32).toString("hex"));
  await writeFile(secrets, `${SECRET}\n`);
  secretArgs = ["--cookie-key", key, "--debug-secret", secrets];
});
afterAll(() => rm(directory, { recursive: true }));

async function exampleEdge(upstreams: readonly EdgeUpstream[], options: Partial<EdgeOptions> = {}): Promise<Edge> {
  const text = await readFile(join(packageRoot(), "docs", "examples", "issued-cookie.yaml"), "utf8");
  const [stable = "", canary = ""] = upstreams.map(({ address }) => address);
  return startEdge({
    stable,
    canary,
    rollouts: parseRollouts(text, "issued-cookie.yaml"),
    rolloutsShareBp: 5_000,
    sidecarArgs: secretArgs,
    ...options,
  });
}

describe("through a real Envoy and two sidecars", () => {
  let upstreams: EdgeUpstream[] = [];
  let edge: Edge;
  beforeAll(async () => {
    upstreams = await Promise.all([startHttp1Upstream("stable", OWN), startHttp1Upstream("canary", OWN)]);
    edge = await exampleEdge(upstreams, { sidecars: 2 });
    await edge.waitForHealthy(2);
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
  });

  const counted = async (name: string): Promise<number> => (await edge.metrics()).get(name) ?? 0;
  /** Messages of requests and responses, by Envoy's own count. */
  const messages = () => edge.envoy.stat("http.ingress.ext_proc.stream_msgs_sent");
  const newCanaryUser = async (): Promise<string> => {
    for (;;) {
      const { by, issued } = await ask(edge);
      if (by === "canary" && issued !== undefined) return issued;
    }
  };

  test("who brings no key gets a cookie beside the application's own, and the same variant with it ever after", async () => {
    const users = [];
    for (let user = 0; user < 16; user += 1) users.push(await ask(edge));
    expect(users.map(({ own }) => own)).toEqual(users.map(() => OWN["set-cookie"]));
    expect(new Set(users.map(({ by }) => by))).toEqual(new Set(["stable", "canary"]));
    for (const { by, issued } of users) {
      expect(issued).toBeDefined();
      for (let visit = 0; visit < 6; visit += 1)
        expect(await ask(edge, { headers: { cookie: `cart=1; ${issued}` } })).toEqual({
          by,
          issued: undefined,
          own: OWN["set-cookie"],
          explained: undefined,
        });
    }
  });

  test("Envoy sends one message for an ordinary request, and the response's too for a new user", async () => {
    const [before, asked] = [await messages(), await counted(METRICS.responsesAsked)];
    for (let count = 0; count < 20; count += 1) expect((await ask(edge, { headers: { "x-user-id": `u${count}` } })).issued).toBeUndefined();
    expect([(await messages()) - before, (await counted(METRICS.responsesAsked)) - asked]).toEqual([20, 0]);
    await ask(edge);
    expect([(await messages()) - before, (await counted(METRICS.responsesAsked)) - asked]).toEqual([22, 1]);
  });

  test("a forged or altered cookie is none: another is issued", async () => {
    const { issued = "" } = await ask(edge);
    for (const cookie of ["__Host-serin-id=me", issued.slice(0, -1), issued.replace("=", "=A").slice(0, issued.length)]) {
      const again = await ask(edge, { headers: { cookie } });
      expect(again.issued).toBeDefined();
      expect(again.issued).not.toBe(issued);
    }
    expect(await counted(`${METRICS.cookiesIssued}{instead="invalid"}`)).toBe(3);
  });

  test("HEAD, and what the canary fails and stable answers, set it too", async () => {
    expect((await ask(edge, { method: "HEAD" })).issued).toBeDefined();
    const tries = Array.from({ length: 12 }, () => ask(edge, { path: "/fail/canary" }));
    for (const { by, issued } of await Promise.all(tries)) expect([by, issued !== undefined]).toEqual(["stable", true]);
    const rescued = await newCanaryUser();
    expect(await ask(edge, { path: "/fail/canary", headers: { cookie: rescued } })).toMatchObject({ by: "stable", issued: undefined });
  });

  test("a WebSocket goes to its user's variant, and the handshake of a new one sets its cookie", async () => {
    const cookie = await newCanaryUser();
    const wanted = { port: edge.envoy.port, variant: "stable", what: "GET /ok", host: HOST } as const;
    const [known, fresh] = [await openWebSocket({ ...wanted, headers: { cookie } }), await openWebSocket(wanted)];
    expect([known.isGood, known.by, fresh.isGood]).toEqual([true, "canary", true]);
    expect([known.head, fresh.head].map((head) => head.includes("set-cookie: __Host-serin-id="))).toEqual([false, true]);
    expect(await fresh.echo("hello")).toBe("hello");
    await Promise.all([known.close(), fresh.close()]);
  });

  const explainArgs = (cookie: string): string[] => ["--header", `cookie=${cookie}`, "--cookie-key", secretArgs[1] ?? ""];
  test.each<{ title: string; headers: () => Promise<Record<string, string>>; args: (headers: Record<string, string>) => string[] }>([
    { title: "a user with a header", headers: async () => ({ "x-user-id": "ann" }), args: () => ["--header", "x-user-id=ann"] },
    {
      title: "a user with a cookie of ours",
      headers: async () => ({ cookie: await newCanaryUser() }),
      args: ({ cookie = "" }) => explainArgs(cookie),
    },
  ])("the answer to $title explains what `serin explain --json` tells, when the secret is right", async ({ headers, args }) => {
    const given = await headers();
    const { explained, own } = await ask(edge, { path: "/list?a=1", headers: { ...given, "serin-debug": SECRET } });
    const serin = join(packageRoot(), "dist", "bin", "serin.js");
    const command = [serin, "explain", "--rules", edge.rulesPath, "--host", HOST, "--path", "/list?a=1", "--json", ...args(given)];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    expect(JSON.parse(String(explained))).toEqual(JSON.parse(stdout));
    expect(own).toEqual(OWN["set-cookie"]);
  });

  test("a wrong secret is counted and explains nothing, and no upstream ever sees one", async () => {
    expect((await ask(edge, { headers: { "x-user-id": "ann", "serin-debug": `${SECRET}s` } })).explained).toBeUndefined();
    expect(await counted(`${METRICS.debugRequests}{secret="wrong"}`)).toBe(1);
    expect(upstreams.flatMap(({ headerNames = [] }) => [...headerNames])).not.toContain("serin-debug");
    expect(upstreams.flatMap(({ headerNames = [] }) => [...headerNames])).toContain("x-user-id");
  });
});

test("gRPC works without cookies, which its clients do not keep", async () => {
  const upstreams = await Promise.all([startGrpcUpstream("stable"), startGrpcUpstream("canary")]);
  const edge = await exampleEdge(upstreams, { change: withHttp2Upstreams });
  for (let count = 0; count < 6; count += 1)
    expect((await grpc.ask({ port: edge.envoy.port, variant: "stable", what: "Ok both", host: HOST })).isGood).toBe(true);
  await edge.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

test("where Envoy may not be asked for responses, the sidecar says so once, and counts", async () => {
  const upstreams = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
  const change = (shipped: string): string => shipped.replace("allow_mode_override: true", "allow_mode_override: false");
  const edge = await exampleEdge(upstreams, { change });
  for (let count = 0; count < 8; count += 1) expect((await ask(edge)).issued).toBeUndefined();
  await expect.poll(async () => (await edge.metrics()).get(METRICS.responsesMissing), { timeout: 20_000 }).toBe(8);
  expect(edge.sidecar(0).output().split("allow_mode_override")).toHaveLength(2);
  await edge.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});
