import type { RequestFacts } from "../../../src/core/decide/types.ts";

/** A request of the bench, as people would say it. */
export interface BenchRequest {
  readonly host: string;
  readonly path: string;
  readonly user: string;
  readonly beta: string;
}

/** Requests of many users: to the rollout's host and path, some with the header of its target. */
export const benchRequests = (count: number): BenchRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    host: "shop.example",
    path: `/checkout/${index % 50}?x=${index}`,
    user: `user-${index * 7919}`,
    beta: index % 20 === 0 ? "1" : "",
  }));

/** Requests that differ in all that the rule asks: other hosts and paths, with and without the header, many users. */
export const mixedRequests = (count: number): BenchRequest[] =>
  Array.from({ length: count }, (_, index) => ({
    host: index % 7 === 0 ? "other.example" : "shop.example",
    path: index % 5 === 0 ? `/cart/${index}` : `/checkout/${index}`,
    user: `user-${index}`,
    beta: ["", "", "0", "1"][index % 4] ?? "",
  }));

const NONE: readonly string[] = [];

/** The request as the core reads it: headers by name, as peers get their context: nothing of it is made while time is taken. */
export function factsOfBench({ host, path, user, beta }: BenchRequest): RequestFacts {
  const headers = new Map<string, readonly string[]>([["x-user-id", [user]]]);
  if (beta !== "") headers.set("x-beta", [beta]);
  return { host, method: "GET", path, headers: (name) => headers.get(name) ?? NONE, clientAddress: undefined };
}
