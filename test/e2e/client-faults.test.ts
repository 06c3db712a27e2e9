import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { FLAG, FRAME, frame, PREFACE, settings } from "../../src/sidecar/h2/frames.ts";
import { encodeLiterals } from "../../src/sidecar/h2/hpack.ts";
import { countedBy, type Edge, startEdge } from "../support/edge.ts";
import { withRequestTimeout } from "../support/edge-config.ts";
import { type EdgeUpstream, startHttp1Upstream } from "../support/edge-upstreams.ts";

const PATH = "/hang/canary";

const byHttp1 = (fields: string, body: string): Buffer =>
  Buffer.from(`POST ${PATH} HTTP/1.1\r\nhost: shop.example\r\nx-want: canary\r\n${fields}\r\n\r\n${body}`);

const byHttp2 = (fields: readonly (readonly [string, string])[]): Buffer => {
  const pseudo = Object.entries({ ":method": "POST", ":scheme": "http", ":path": PATH, ":authority": "shop.example" });
  const block = encodeLiterals([...pseudo, ["x-want", "canary"], ...fields]);
  return Buffer.concat([PREFACE, settings([]), frame(FRAME.headers, FLAG.endHeaders, 1, block)]);
};

describe("what a client does wrong says nothing about the variant", () => {
  const stops: (() => unknown)[] = [];
  let canary: EdgeUpstream;
  let edge: Edge;
  beforeAll(async () => {
    const stable = await startHttp1Upstream("stable");
    canary = await startHttp1Upstream("canary");
    stops.push(stable.stop, canary.stop);
    edge = await startEdge({ stable: stable.address, canary: canary.address, change: withRequestTimeout("2s") });
    stops.push(edge.stop);
  });
  afterAll(() => stopAll(stops));

  /** Sends the request, and the rest when the canary has it. The connection stays open: its end would be a client that left. */
  async function send(request: Buffer, rest: Buffer = Buffer.alloc(0)): Promise<{ seen(): string }> {
    const before = canary.tries.length;
    const socket = connect(edge.envoy.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let seen = "";
    socket.setEncoding("latin1").on("data", (text: string) => (seen += text));
    socket.write(request);
    await waitFor(() => canary.tries.length > before, { deadlineMs: 20_000, what: "the canary to be asked" });
    socket.write(rest);
    return { seen: () => seen };
  }

  const answered = ({ seen }: { seen(): string }, status: number) =>
    waitFor(() => seen().startsWith(`HTTP/1.1 ${status} `), { deadlineMs: 20_000, what: `Envoy to answer ${status}` });

  test("a malformed chunk, which Envoy answers with 400: aborted, not failed and not good", async () => {
    const counted = await countedBy(edge, 1, async () =>
      answered(await send(byHttp1("transfer-encoding: chunked", "3\r\nabc\r\n"), Buffer.from("ZZ\r\n")), 400),
    );
    expect(counted).toEqual({ "canary aborted": 1 });
  });

  test("a body that does not come in time, which Envoy answers with 408: its own reply", async () => {
    const counted = await countedBy(edge, 1, async () => answered(await send(byHttp1("content-length: 10", "abc")), 408));
    expect(counted).toEqual({ "canary local": 1 });
  });

  test("a frame that breaks the HTTP/2 connection: aborted", async () => {
    const counted = await countedBy(edge, 1, () => send(byHttp2([]), frame(FRAME.data, 0, 0, Buffer.from("on no stream"))));
    expect(counted).toEqual({ "canary aborted": 1 });
  });

  test("a body that is shorter than HTTP/2's content-length says: aborted", async () => {
    const counted = await countedBy(edge, 1, () =>
      send(byHttp2([["content-length", "10"]]), frame(FRAME.data, FLAG.endStream, 1, Buffer.from("short"))),
    );
    expect(counted).toEqual({ "canary aborted": 1 });
  });
});
