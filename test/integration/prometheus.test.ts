import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as base, expect } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";

const test = base.extend<{ prometheus: Prometheus }>({
  prometheus: async ({}, use) => {
    const prometheus = await startPrometheus();
    await use(prometheus);
    await prometheus.stop();
  },
});

test("a real Prometheus scrapes the targets that it is given while it runs", async ({ prometheus }) => {
  const server = createServer((_, response) => void response.end("some_total 7\n"));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo; // A TCP server has no other form.
    await prometheus.setTargets([`http://127.0.0.1:${port}`]);
    const found = await waitFor(
      async () => {
        const text = await (await fetch(`${prometheus.url}/api/v1/query?query=some_total`)).text();
        return text.includes('"7"') ? text : undefined;
      },
      { deadlineMs: 20_000, what: "the sample" },
    );
    expect(found).toContain(`"instance":"127.0.0.1:${port}"`);
  } finally {
    server.close();
  }
});
