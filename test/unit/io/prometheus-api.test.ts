import { describe, expect, test } from "vitest";
import { EXIT } from "../../../src/contract/exit-codes.ts";
import { createPrometheusApi, type PrometheusApi, PrometheusError } from "../../../src/io/prometheus-api.ts";
import { serverThat } from "../../support/http-answers.ts";

const answering = (status: number, body: unknown): Promise<string> =>
  serverThat((_, response) => response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body)));

const vector = { status: "success", data: { resultType: "vector", result: [] } };

describe("an answer of Prometheus", () => {
  test.each([
    {
      title: "of instant values is one point a series",
      data: { resultType: "vector", result: [{ metric: { variant: "canary" }, value: [12.345, "3.5"] }] },
      series: [{ labels: { variant: "canary" }, points: [[12_345, 3.5]] }],
    },
    {
      title: "over a time has all points, NaN and infinity too",
      data: {
        resultType: "matrix",
        result: [
          {
            metric: {},
            values: [
              [1, "NaN"],
              [2, "+Inf"],
              [3, "-Inf"],
            ],
          },
        ],
      },
      series: [
        {
          labels: {},
          points: [
            [1_000, Number.NaN],
            [2_000, Number.POSITIVE_INFINITY],
            [3_000, Number.NEGATIVE_INFINITY],
          ],
        },
      ],
    },
    {
      title: "that is a scalar is a series without labels",
      data: { resultType: "scalar", result: [4, "7"] },
      series: [{ labels: {}, points: [[4_000, 7]] }],
    },
  ])("$title", async ({ data, series }) => {
    const api = createPrometheusApi({ url: await answering(200, { status: "success", data, warnings: ["w"] }), timeoutMs: 5_000 });
    expect(await api.instant("up")).toEqual(series);
  });
});

test("an answer that points elsewhere is not followed, and says what to write", async () => {
  let isAsked = false;
  const elsewhere = await serverThat((_, response) => {
    isAsked = true;
    response.end(JSON.stringify(vector));
  });
  for (const status of [301, 302, 307, 308]) {
    const url = await serverThat((_, response) => response.writeHead(status, { location: elsewhere }).end());
    await expect(createPrometheusApi({ url, timeoutMs: 5_000 }).instant("up")).rejects.toThrow(
      `${url}/api/v1/query: points to another address, which is not followed; write the one where Prometheus itself answers`,
    );
  }
  expect(isAsked).toBe(false);
});

describe("a question to Prometheus", () => {
  test.each([
    { title: "of an instant", ask: (api: PrometheusApi) => api.instant("up", 1_500), asked: "/at/api/v1/query query=up&time=1.5" },
    { title: "of the present", ask: (api: PrometheusApi) => api.instant("a b"), asked: "/at/api/v1/query query=a+b" },
    {
      title: "of a time",
      ask: (api: PrometheusApi) => api.range("up", { fromMs: 1_000, toMs: 2_250, stepMs: 250 }),
      asked: "/at/api/v1/query_range query=up&start=1&end=2.25&step=0.25",
    },
  ])("$title goes below the address, with the headers given", async ({ ask, asked }) => {
    const seen: string[] = [];
    const url = await serverThat((request, response) => {
      seen.push(`${request.url} ${request.text}`, String(request.headers.authorization));
      response.end(JSON.stringify(vector));
    });
    await ask(createPrometheusApi({ url: `${url}/at/`, headers: { authorization: "Bearer t" }, timeoutMs: 5_000 }));
    expect(seen).toEqual([asked, "Bearer t"]);
  });
});

describe("what goes wrong says where, what and the fix", () => {
  const errorOf = async (url: string, timeoutMs = 5_000): Promise<PrometheusError> => {
    const error: unknown = await createPrometheusApi({ url, timeoutMs })
      .instant("up{")
      .catch((cause: unknown) => cause);
    if (error instanceof PrometheusError) return error;
    throw error;
  };

  test("a query that the server refuses is the author's to correct", async () => {
    const url = await answering(400, { status: "error", errorType: "bad_data", error: "unexpected end of input" });
    expect(await errorOf(url)).toMatchObject({
      code: "QUERY_INVALID",
      exitCode: EXIT.usage,
      message: `up{: ${url} refuses it: unexpected end of input; correct the query`,
    });
  });

  test.each([
    {
      title: "a server in trouble",
      status: 503,
      body: { status: "error", errorType: "timeout", error: "query timed out" },
      what: "timeout: query timed out; see whether it is overloaded",
    },
    {
      title: "another server",
      status: 200,
      body: "<html>",
      what: "answers, but not as Prometheus does; write the address in front of /api/v1, and let its headers allow queries",
    },
  ])("$title is unavailable", async ({ status, body, what }) => {
    const url = await answering(status, body);
    expect(await errorOf(url)).toMatchObject({ code: "PROMETHEUS_UNAVAILABLE", exitCode: EXIT.timedOut, message: `${url}: ${what}` });
  });

  test("a server that does not answer in time is unavailable", async () => {
    const url = await serverThat(() => undefined);
    const { code, message } = await errorOf(url, 50);
    expect(code).toBe("PROMETHEUS_UNAVAILABLE");
    expect(message).toBe(`${url}/api/v1/query: no answer in 50 ms; see whether it is overloaded, or allow more time`);
  });

  test("an answer that is longer than asked for is not read", async () => {
    const url = await answering(200, { status: "success", data: { resultType: "vector", result: [] }, padding: "x".repeat(1_000) });
    await expect(createPrometheusApi({ url, timeoutMs: 5_000, maxBytes: 500 }).instant("up")).rejects.toThrow(
      `${url}/api/v1/query: the answer is longer than 500 bytes;`,
    );
  });

  test("a question ends at once when its asker ends", async () => {
    const ending = new AbortController();
    const url = await serverThat(() => ending.abort());
    await expect(createPrometheusApi({ url, timeoutMs: 60_000, signal: ending.signal }).instant("up")).rejects.toThrow(
      `${url}/api/v1/query: This operation was aborted;`,
    );
  });

  test("a place where nobody listens is unavailable, with the reason of the network", async () => {
    const { message } = await errorOf("http://127.0.0.1:1");
    expect(message).toMatch(/^http:\/\/127\.0\.0\.1:1\/api\/v1\/query: .+; see whether it runs and can be reached from here$/);
  });

  test.each(["prometheus:9090", "nonsense", "ftp://prometheus"])("%s is no address", (url) => {
    expect(() => createPrometheusApi({ url, timeoutMs: 1 })).toThrow(
      "the address of Prometheus: is not one; write it like http://prometheus:9090",
    );
  });

  test("an address with credentials is refused without repeating them", () => {
    expect(() => createPrometheusApi({ url: "http://me:secret@prometheus:9090/x", timeoutMs: 1 })).toThrow(
      /^http:\/\/prometheus:9090: has more than a place in its address; give credentials as a header, and no query$/,
    );
  });
});
