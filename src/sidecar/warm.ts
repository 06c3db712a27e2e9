import { Duplex } from "node:stream";
import { FORMAT } from "../contract/names.ts";
import type { RuleSet } from "../contract/rules.ts";
import { compile } from "../core/decide/compile.ts";
import { extProcMethod } from "./ext-proc.ts";
import { Connection } from "./h2/connection.ts";
import { DEFAULT_WINDOW, FLAG, FRAME, frame, MAX_WINDOW, PREFACE, settings, windowUpdate } from "./h2/frames.ts";
import { encodeLiterals } from "./h2/hpack.ts";
import { withPrefix } from "./h2/messages.ts";
import { lengthField } from "./wire/writer.ts";

/** After so many, a request takes no longer than after four times as many; those would take longer than the rules take to load. */
const ROUNDS = 500;
/** Different requests among them; enough for keys on both sides of the share. */
const KINDS = 32;

/**
 * Takes made-up requests the whole way of a real one, from bytes to bytes, before the first: cold code takes 14–50 ms for a
 * request, and Envoy waits for 100. Nothing of it is counted; tells what was done. Throws when a request meets a surprise.
 */
export function warm(): Readonly<{ requests: number; bytes: number; variants: ReadonlySet<string> }> {
  const rules = compile(WARM_RULES);
  const variants = new Set<string>();
  const method = extProcMethod({
    rules: () => rules,
    decided: ({ variant }) => variants.add(variant),
    streamBegun: () => undefined,
    streamClosed: () => undefined,
    surprise: throwSurprise,
  });
  let bytes = 0;
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  const connection = new Connection(socket, {
    route: () => method,
    surprise: (error) => throwSurprise("a stream", error),
    fault: (fault) => throwSurprise("the connection", fault),
    closed: () => undefined,
  });
  // As a socket would tell it; a stream's own queue would hand it over only later.
  const receive = (...bytes: Buffer[]): boolean => socket.emit("data", Buffer.concat(bytes));
  receive(PREFACE, settings([]), windowUpdate(0, MAX_WINDOW - DEFAULT_WINDOW));
  const headers = encodeLiterals([
    [":method", "POST"],
    [":path", "/warm"],
    ["content-type", "application/grpc"],
  ]);
  // Made once: to make one takes longer than to answer it.
  const requests = Array.from({ length: KINDS }, (_, kind) => withPrefix(requestOf(kind)));
  for (let round = 0; round < ROUNDS; round += 1) {
    const stream = round * 2 + 1;
    const request = requests[round % KINDS] ?? Buffer.alloc(0);
    receive(frame(FRAME.headers, FLAG.endHeaders, stream, headers), frame(FRAME.data, 0, stream, request));
    receive(frame(FRAME.data, FLAG.endStream, stream));
  }
  connection.close();
  return { requests: ROUNDS, bytes, variants };
}

const throwSurprise = (kind: string, cause: unknown): never => {
  throw new Error(`${kind} failed while warming`, { cause });
};

/** A `ProcessingRequest` with request headers, as Envoy sends them. */
function requestOf(kind: number): Buffer {
  const header = (key: string, value: string): Buffer => lengthField(1, Buffer.concat([lengthField(1, key), lengthField(3, value)]));
  const headers = [
    header(":authority", "warm.invalid"),
    header(":path", "/warm?round=1"),
    header(":method", "GET"),
    header("cookie", "session=none; theme=dark"),
    // Some without a key, some with one that is not ASCII.
    ...(kind % 4 === 0 ? [] : [header("x-warm-user", kind % 4 === 1 ? `übung ${kind}` : `user-${kind}`)]),
  ];
  const address = entryOf("source.address", lengthField(3, "192.0.2.1:4711"));
  const attributes = lengthField(9, Buffer.concat([lengthField(1, "envoy.filters.http.ext_proc"), lengthField(2, address)]));
  return Buffer.concat([lengthField(2, lengthField(1, Buffer.concat(headers))), attributes]);
}

const entryOf = (key: string, value: Buffer): Buffer => lengthField(1, Buffer.concat([lengthField(1, key), lengthField(2, value)]));

const WARM_RULES: RuleSet = {
  format: FORMAT,
  epoch: 0,
  revision: 0,
  rollouts: {
    warm: {
      rules: {
        match: { hosts: ["warm.invalid"], paths: [{ prefix: "/" }] },
        key: [{ header: "x-warm-user" }, { cookie: "x-warm-user" }, { clientAddress: true }],
        salt: "warm",
        variants: { stable: { cluster: "stable", tags: {} }, canary: { cluster: "canary", tags: { "x-serin-variant": "canary" } } },
        targets: [
          { name: "header", when: { header: { name: "x-warm-target", present: true } }, variant: "canary" },
          { name: "cookie", when: { cookie: { name: "warm", exact: "1" } }, variant: "canary" },
          { name: "users", when: { userHashes: ["0123456789abcdef"] }, variant: "canary" },
        ],
      },
      live: { run: 1, shareBp: 5_000, off: false, whenUnwatched: "stable" },
    },
  },
};
