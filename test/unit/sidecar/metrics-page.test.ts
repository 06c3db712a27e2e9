import { expect, test } from "vitest";
import { bindMetricsPage, type MetricsPage } from "../../../src/sidecar/metrics-page.ts";

const bind = (): Promise<MetricsPage> => bindMetricsPage("127.0.0.1:0", () => ({ isReady: true, body: { id: "s1" } }));
const answering = { serve: (_request: unknown, response: { end(text: string): unknown }) => void response.end("counted 7") };

test("a scrape that comes before the metrics can be shown waits for them, and readiness does not", async () => {
  const page = await bind();
  const scrape = fetch(`${page.url}/metrics`);
  expect(await (await fetch(`${page.url}/readyz`)).json()).toEqual({ id: "s1" });
  page.show(answering);
  expect(await (await scrape).text()).toBe("counted 7");
  expect(await (await fetch(`${page.url}/metrics`)).text()).toBe("counted 7");
  await page.stop();
});

test("a scrape that waits is ended by a stop", async () => {
  const page = await bind();
  const scrape = fetch(`${page.url}/metrics`);
  await fetch(`${page.url}/readyz`);
  await Promise.all([expect(scrape).rejects.toThrow("fetch failed"), page.stop()]);
});
