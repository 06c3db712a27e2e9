import type { ServiceDefinition } from "@grpc/grpc-js";
import { FORMAT } from "../contract/names.ts";
import type { RuleSet } from "../contract/rules.ts";
import { compile } from "../core/decide/compile.ts";
import { answer } from "./ext-proc.ts";
import type { ProcessingRequest } from "./wire/messages.ts";

/** Enough for V8 to have compiled the path; about 50 ms. */
const ROUNDS = 500;

/**
 * Takes made-up requests the whole way of a real one, from bytes to bytes, before the first: cold code takes 14–50 ms for a
 * request, and Envoy waits for 100. Nothing of it is counted.
 */
export function warm(service: ServiceDefinition): void {
  const process = Object.values(service)[0];
  if (process === undefined) throw new Error("the external processing service has no method");
  const rules = compile(WARM_RULES);
  const ports = { decided: () => undefined, surprise: throwSurprise };
  for (let round = 0; round < ROUNDS; round += 1) {
    // grpc-js calls the same two functions round our handler.
    const message = process.requestDeserialize(process.requestSerialize(requestOf(round))) as ProcessingRequest; // typed as object
    const response = answer(message, rules, ports);
    if (response !== undefined) process.responseSerialize(response);
  }
}

const throwSurprise = (kind: string, cause: unknown): void => {
  throw new Error(`${kind} failed while warming`, { cause });
};

const requestOf = (round: number): ProcessingRequest => {
  const header = (key: string, value: string) => ({ key, rawValue: Buffer.from(value) });
  const headers = [
    header(":authority", "warm.invalid"),
    header(":path", "/warm?round=1"),
    header(":method", "GET"),
    header("cookie", "session=none; theme=dark"),
    // Some without a key, some with one that is not ASCII.
    ...(round % 4 === 0 ? [] : [header("x-warm-user", round % 4 === 1 ? `übung ${round}` : `user-${round}`)]),
  ];
  const attributes = { "envoy.filters.http.ext_proc": { fields: { "source.address": { stringValue: "192.0.2.1:4711" } } } };
  return { requestHeaders: { headers: { headers } }, attributes };
};

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
