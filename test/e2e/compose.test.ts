import { once } from "node:events";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readCompose } from "../support/compose.ts";
import { type ComposeProcesses, composeProcesses } from "../support/compose-processes.ts";

/** No Grafana can be had where tests run; the command line runs by itself. */
const services = Object.keys(readCompose().services).filter((name) => name !== "grafana" && name !== "serin");

let stack: ComposeProcesses;
beforeAll(async () => {
  stack = composeProcesses();
  await Promise.all(services.map((name) => stack.up(name, { CANARY_FAILS: "0.5" })));
});
afterAll(() => stack.stop());

/** What a request through Envoy is answered. */
async function answerTo(headers: Readonly<Record<string, string>>): Promise<string> {
  const options = { host: stack.address("envoy"), port: 10_000, agent: false, headers: { host: "shop.example", ...headers } };
  const [response] = await once(get(options), "response");
  return text(response);
}

const isReady = async (service: string, port: number, path: string): Promise<boolean> =>
  (await fetch(`http://${stack.address(service)}:${port}${path}`)).ok;

const UpSchema = z.object({ data: z.object({ result: z.array(z.object({ metric: z.object({ job: z.string() }) })) }) });

/** Names of the jobs of targets that Prometheus reaches. */
async function scraped(): Promise<string[]> {
  const response = await fetch(`http://${stack.address("prometheus")}:9090/api/v1/query?query=up%20%3D%3D%201`);
  const { data } = UpSchema.parse(await response.json());
  return data.result.map(({ metric }) => metric.job).toSorted();
}

test("all that the compose file starts runs, is ready, and is scraped by Prometheus", async () => {
  const checks = [
    ["envoy", 9_901, "/ready"],
    ["sidecar-0", 9_464, "/readyz"],
    ["sidecar-1", 9_464, "/readyz"],
    ["controller", 9_464, "/readyz"],
    ["nats", 8_222, "/healthz"],
    ["prometheus", 9_090, "/-/ready"],
    ["stable", 8_080, "/healthz"],
    ["canary", 8_080, "/healthz"],
  ] as const;
  for (const [service, port, path] of checks)
    await waitFor(() => isReady(service, port, path), { deadlineMs: 20_000, what: `${service} to be ready` });
  const jobs = ["envoy", "serin-controller", "serin-sidecar", "serin-sidecar"];
  await waitFor(async () => (await scraped()).join() === jobs.join(), { deadlineMs: 20_000, what: "all targets to be scraped" });
  expect(stack.ended()).toEqual([]);
});

test("the controller serves the page", async () => {
  const page = await fetch(`http://${stack.address("controller")}:9464/`);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
});

test("a canary that fails is taken back; a mended one is tried again, and testers get it", async () => {
  expect(await answerTo({})).toBe("this is stable\n");
  expect(await stack.serin("apply", "-f", "shop.yaml")).toMatchObject({ code: 0 });
  expect(await stack.serin("watch", "shop", "--until", "ended", "--timeout", "60s")).toMatchObject({ code: 3 });
  await stack.up("canary");
  expect(await stack.serin("retry", "shop")).toMatchObject({ code: 0 });
  await waitFor(async () => (await answerTo({ "x-beta": "1" })) === "this is canary\n", {
    deadlineMs: 20_000,
    what: "testers to get the canary",
  });
  expect(await answerTo({})).toBe("this is stable\n");
  expect(stack.ended()).toEqual([]);
});
