import { describe, expect, test } from "vitest";
import { LineReader } from "../../../src/sidecar/line-facts.ts";
import { type LineValues, lineOf } from "../../support/log-lines.ts";

const DECIDED: LineValues = { "%DYNAMIC_METADATA(serin:outcome)%": "00000007:--:3:canary:checkout:canary" };

/** The canary answered with 200. */
const ANSWERED: LineValues = {
  ...DECIDED,
  "%RESPONSE_CODE%": "200",
  "%UPSTREAM_REQUEST_ATTEMPT_COUNT%": "1",
  "%UPSTREAM_HOST%": "10.0.0.1:80",
  "%COMMON_DURATION(US_TX_BEG:US_RX_END:ns)%": "7000001",
  "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)%": "8500000",
  "%DURATION%": "8",
  "%UPSTREAM_CLUSTER_RAW%": "canary-or-nobody",
  "%COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:ns)%": "7500000",
};

const read = (values: LineValues) => new LineReader().read(lineOf(values));

test("a line by the shipped configuration gives the decision back with what came of it", () => {
  expect(read(ANSWERED)).toEqual({
    decided: { variant: "canary", rollout: "checkout", run: 3, control: false, cluster: "canary", bucket: 7, isSession: false, also: [] },
    upstreamCluster: "canary",
    upstreamReached: true,
    isOddHost: expect.any(Boolean),
    attempts: 1,
    responseCode: 200,
    grpcStatus: undefined,
    flags: [],
    upstreamMs: 7.000001,
    durationMs: 8.5,
    firstByteMs: 7.5,
  });
});

test("a line without anything is a request that nobody decided", () => {
  expect(read({ "%RESPONSE_CODE%": "0", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%": "0", "%DURATION%": "0" })).toEqual({
    decided: undefined,
    upstreamCluster: "",
    upstreamReached: false,
    isOddHost: undefined,
    attempts: 0,
    responseCode: 0,
    grpcStatus: undefined,
    flags: [],
    upstreamMs: undefined,
    durationMs: 0,
  });
});

describe("the cluster that answered", () => {
  test.each([
    { title: "is the line's", cluster: "outbound|80||a.svc", own: "outbound|80||a.svc" },
    { title: "is X where an aggregate is called X-or-nobody", cluster: "blue-or-nobody", own: "blue" },
  ])("$title", ({ cluster, own }) => {
    expect(read({ ...ANSWERED, "%UPSTREAM_CLUSTER_RAW%": cluster }).upstreamCluster).toBe(own);
  });

  test("keeps its name where a rollout names it so", () => {
    const outcome = "00000007:--:3:canary:checkout:new-or-nobody";
    const facts = read({ ...ANSWERED, "%DYNAMIC_METADATA(serin:outcome)%": outcome, "%UPSTREAM_CLUSTER_RAW%": "new-or-nobody" });
    expect(facts.upstreamCluster).toBe("new-or-nobody");
  });

  test("is none without a host: it was only asked for one", () => {
    expect(read({ ...ANSWERED, "%UPSTREAM_HOST%": "-", "%RESPONSE_FLAGS%": "UH" })).toMatchObject({
      upstreamCluster: "",
      upstreamReached: false,
      flags: ["noHealthyUpstream"],
    });
  });
});

test("hosts that differ by one are in different halves, and each in the same one ever again", () => {
  const hosts = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:81", "10.0.0.1:80"];
  const first = read(ANSWERED).isOddHost;
  expect(hosts.map((host) => read({ ...ANSWERED, "%UPSTREAM_HOST%": host }).isOddHost === first)).toEqual([true, false, true, false, true]);
});

test("flags come by their long names; what the access log stream does not know is left out", () => {
  expect(read({ ...ANSWERED, "%RESPONSE_FLAGS%": "UF,URX,DO,UAEX" }).flags).toEqual([
    "upstreamConnectionFailure",
    "upstreamRetryLimitExceeded",
  ]);
});

test("the request's end counts where it is later than the last byte to the client", () => {
  expect(read({ ...ANSWERED, "%DURATION%": "1500" }).durationMs).toBe(1_500);
});

test.each([
  { title: "that of the trailers", header: "0", trailer: "14", status: 14 },
  { title: "that of the headers without any", header: "2", trailer: "-", status: 2 },
  { title: "none where neither has one", header: "-", trailer: "-", status: undefined },
  { title: "no number where an upstream writes nonsense", header: "x\ty", trailer: "-", status: Number.NaN },
])("gRPC's status is $title", ({ header, trailer, status }) => {
  const values = { ...ANSWERED, "%RESP(grpc-status):4%": header, "%TRAILER(grpc-status):4%": trailer };
  expect(read(values).grpcStatus).toBe(status);
});

test.each([
  { title: "a number that is none", values: { "%RESPONSE_CODE%": "two" }, message: '"two" is not a number' },
  { title: "a number below 0", values: { "%DURATION%": "-1" }, message: '"-1" is not a number' },
  { title: "no number at all", values: { "%UPSTREAM_REQUEST_ATTEMPT_COUNT%": "" }, message: '"" is not a number' },
  {
    title: "a decision that no sidecar makes",
    values: { "%DYNAMIC_METADATA(serin:outcome)%": "canary" },
    message: 'no sidecar writes the outcome "canary"',
  },
  { title: "a line's end in a cluster's name", values: { "%UPSTREAM_CLUSTER_RAW%": "a\nb" }, message: '"b" is not a number' },
])("$title is refused", ({ values, message }) => {
  expect(() => read({ ...ANSWERED, ...values })).toThrow(message);
});

test("a line of another format is refused", () => {
  expect(() => new LineReader().read("GET / 200")).toThrow("an outcome has 13 lines, not 1");
});
