import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { METADATA_NAMESPACE } from "../../../src/contract/names.ts";
import { shippedEnvoyConfig } from "../../../src/demo/envoy.ts";
import { withAddresses } from "../../../src/demo/envoy-config.ts";

const shipped = readFileSync(shippedEnvoyConfig(), "utf8");
const addresses = { sidecars: ["unix:/run/a.sock", "127.0.0.1:5000"], stable: "127.0.0.1:1", canary: "127.0.0.1:2" };

/** Replaces every address by the same word, so that what is left can be compared. */
const withoutAddresses = (text: string): unknown =>
  JSON.parse(
    JSON.stringify(parse(text), (key, value: unknown) => {
      if (key === "address" || key === "lb_endpoints") return "somewhere";
      return value;
    }),
  );

describe("the configuration that demo and tests start", () => {
  test("is the shipped one with other addresses, and nothing else", () => {
    expect(withoutAddresses(withAddresses(shipped, addresses))).toEqual(withoutAddresses(shipped));
  });

  test("reaches each sidecar by socket or port", () => {
    const config = parse(withAddresses(shipped, addresses));
    const serin = config.static_resources.clusters.find(({ name }: { name: string }) => name === "serin");
    expect(serin.load_assignment.endpoints).toEqual([
      {
        lb_endpoints: [
          { endpoint: { address: { pipe: { path: "/run/a.sock" } } } },
          { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: 5_000 } } } },
        ],
      },
    ]);
  });

  test("refuses a socket path that the system would cut", () => {
    const path = `/${"x".repeat(103)}`;
    expect(() => withAddresses(shipped, { ...addresses, sidecars: [`unix:${path}`] })).toThrow(`${path} is too long for a Unix socket`);
  });

  test("refuses a configuration without the cluster that it should change", () => {
    expect(() => withAddresses(shipped.replaceAll("name: canary", "name: other"), addresses)).toThrow('has no cluster "canary"');
  });
});

describe("the shipped configuration", () => {
  const { static_resources: resources } = parse(shipped);
  const manager = resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const extProc = manager.http_filters[0].typed_config;

  test("ends every request at stable that no metadata sends elsewhere", () => {
    const routes: { name: string; match: { dynamic_metadata?: { filter: string }[] }; route: object }[] =
      manager.route_config.virtual_hosts[0].routes;
    expect(routes.map(({ name, match, route }) => [name, match.dynamic_metadata?.[0]?.filter, route])).toEqual([
      ["canary", METADATA_NAMESPACE, { cluster: "canary" }],
      ["stable", undefined, { cluster: "stable" }],
    ]);
  });

  test("fails open within 100 ms", () => {
    expect([extProc.failure_mode_allow, extProc.message_timeout]).toEqual([true, "0.1s"]);
  });

  test("retries decisions on faults of the transport only", () => {
    expect(extProc.grpc_service.retry_policy.retry_on).toBe("connect-failure,refused-stream,reset");
  });

  test("lets a sidecar set Serin's headers and no others", () => {
    expect(extProc.mutation_rules).toEqual({ disallow_all: true, allow_expression: { regex: "^x-serin-.*$" } });
  });
});
