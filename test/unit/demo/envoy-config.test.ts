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

  interface Route {
    readonly name: string;
    readonly match: { readonly dynamic_metadata?: { filter: string; path: object[]; value: object }[]; readonly headers?: object[] };
    readonly route: { readonly cluster_specifier_plugin: string; readonly retry_policy?: { readonly num_retries: number } };
  }
  const { virtual_hosts: hosts, cluster_specifier_plugins: plugins } = manager.route_config;
  const routes: Route[] = hosts[0].routes;
  const rescuing = routes.filter(({ route }) => route.retry_policy !== undefined);

  test("sends a request where its metadata says, and what says nothing to stable, at the first try and at the second", () => {
    const groups: { name: string; clusters: { cluster_name: string }[] }[] = plugins[0].extension.typed_config.priority_groups;
    expect(plugins[0].extension.typed_config.override_metadata_namespace).toBe(METADATA_NAMESPACE);
    expect(groups.map(({ name, clusters }) => [name, clusters.map(({ cluster_name: cluster }) => cluster)])).toEqual([
      ["stable", ["stable"]],
      ["stable-again", ["stable"]],
      ["canary", ["canary-or-nobody"]],
    ]);
    expect(routes.map(({ route }) => route.cluster_specifier_plugin)).toEqual(routes.map(() => plugins[0].extension.name));
    expect(routes.at(-1)?.match).toEqual({ prefix: "/" });
  });

  test("tries again only what was decided canary, once, and by a method that may be repeated", () => {
    const canary = [{ filter: METADATA_NAMESPACE, path: [{ key: "variant" }], value: { string_match: { exact: "canary" } } }];
    const safe = { name: ":method", string_match: { safe_regex: { regex: "GET|HEAD|OPTIONS" } } };
    expect(rescuing.map(({ match }) => match.dynamic_metadata)).toEqual([canary, canary, canary]);
    expect(rescuing.map(({ route }) => route.retry_policy?.num_retries)).toEqual([1, 1, 1]);
    expect(rescuing.map(({ match }) => match.headers?.[0])).toEqual([safe, safe, safe]);
  });

  test("fails open within 100 ms", () => {
    expect([extProc.failure_mode_allow, extProc.message_timeout]).toEqual([true, "0.1s"]);
  });

  test("retries decisions on faults of the transport only", () => {
    expect(extProc.grpc_service.retry_policy.retry_on).toBe("connect-failure,refused-stream,reset");
  });

  test("asks another sidecar where one cannot be reached, for decisions and for outcomes, which are never told twice", () => {
    const [{ typed_config: logger }] = manager.access_log;
    const policies = [extProc.grpc_service.retry_policy, logger.common_config.grpc_stream_retry_policy];
    const predicates = [[{ name: "envoy.retry_host_predicates.previous_hosts" }], [{ name: "envoy.retry_host_predicates.previous_hosts" }]];
    expect(policies.map(({ retry_host_predicate: predicate }) => predicate)).toMatchObject(predicates);
    // Envoy's logger knows no other reason than a connection that failed.
    expect(logger.common_config.grpc_stream_retry_policy.retry_on).toBeUndefined();
  });

  test("lets an outcome wait for 0.2 s at most", () => {
    expect(manager.access_log[0].typed_config.common_config.buffer_flush_interval).toBe("0.2s");
  });

  test("logs ends only, whatever else Envoy may be told to log", () => {
    expect(manager.access_log.map(({ filter }: { filter: object }) => filter)).toEqual([
      { log_type_filter: { types: ["NotSet", "DownstreamEnd"] } },
    ]);
  });

  test("lets a sidecar set Serin's headers, cookies and baggage, take its secret away, and nothing else", () => {
    expect(extProc.mutation_rules).toEqual({
      disallow_all: true,
      allow_expression: { regex: "^(x-serin-.*|baggage|set-cookie|serin-debug)$" },
    });
  });

  test("lets a sidecar ask for the headers of a response, and for nothing else", () => {
    const mode = { response_header_mode: "SEND", request_trailer_mode: "SKIP", response_trailer_mode: "SKIP" };
    expect([extProc.allow_mode_override, extProc.allowed_override_modes]).toEqual([true, [mode]]);
    expect(extProc.processing_mode).toMatchObject({ response_header_mode: "SKIP" });
  });
});
