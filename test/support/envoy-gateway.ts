import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { addressOf } from "../../src/demo/envoy-config.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import type { Mesh, Places } from "./mesh-edge.ts";
import { staticConfig } from "./static-config.ts";

/** What Envoy Gateway's own translator makes of the files; `npm run check:deploy` compares it. */
export const TRANSLATED = join("test", "deploy", "golden", "envoy-gateway.yaml");

/** Where `deploy/envoy-gateway/gateway.yaml` expects the sidecar. */
const SOCKET = "/run/serin/serin.sock";

const ClusterSchema = z.looseObject({ name: z.string() });
const ManagerSchema = z.looseObject({ rds: z.looseObject({ routeConfigName: z.string() }) });
const FilterSchema = z.looseObject({ typedConfig: ManagerSchema });
const ChainSchema = z.looseObject({ filters: z.tuple([FilterSchema]) });
/** The one without a default chain answers probes. */
const ListenerSchema = z.looseObject({ defaultFilterChain: ChainSchema.optional() });
const RoutesSchema = z.looseObject({ name: z.string() });
const EndpointsSchema = z.looseObject({
  clusterName: z.string(),
  endpoints: z.array(z.looseObject({ lbEndpoints: z.array(z.looseObject({ endpoint: z.looseObject({ address: z.unknown() }) })) })),
});

/** An `envoy.admin.v3.ConfigDump`, as far as it is read. */
const DumpSchema = z.looseObject({
  configs: z.array(
    z.looseObject({
      bootstrap: z.looseObject({ layeredRuntime: z.unknown() }).optional(),
      dynamicActiveClusters: z.array(z.looseObject({ cluster: ClusterSchema })).default([]),
      dynamicEndpointConfigs: z.array(z.looseObject({ endpointConfig: EndpointsSchema })).default([]),
      dynamicListeners: z.array(z.looseObject({ activeState: z.looseObject({ listener: ListenerSchema }) })).default([]),
      dynamicRouteConfigs: z.array(z.looseObject({ routeConfig: RoutesSchema })).default([]),
    }),
  ),
});

/** The same without its type, which stands there for a resource that travels alone. */
function untyped(resource: Readonly<Record<string, unknown>>): object {
  const { "@type": _, ...fields } = resource;
  return fields;
}

/** One static configuration of what a control plane would send in parts. */
async function configOf(places: Places, socket: string): Promise<object> {
  const recorded = await readFile(join(packageRoot(), TRANSLATED), "utf8");
  // Envoy cannot open its standard output where that is a pipe of Node's.
  const text = recorded.replaceAll(SOCKET, socket).replaceAll("/dev/stdout", "/dev/null");
  const { configs } = z.record(z.string(), DumpSchema).parse(parse(text))["edge/edge"] ?? { configs: [] };
  const endpoints = configs.flatMap(({ dynamicEndpointConfigs: all }) => all.map(({ endpointConfig }) => endpointConfig));
  const clusters = configs.flatMap(({ dynamicActiveClusters: all }) =>
    all.map((active) => {
      const { edsClusterConfig: _, ...cluster } = active.cluster;
      const found = endpoints.find(({ clusterName }) => clusterName === cluster.name);
      return { ...untyped(cluster), type: "STATIC", loadAssignment: found && assignmentAt(found, places[cluster.name]) };
    }),
  );
  const routes = configs.flatMap(({ dynamicRouteConfigs: all }) => all.map(({ routeConfig }) => routeConfig));
  const listeners = configs.flatMap(({ dynamicListeners: all }) => all.map(({ activeState }) => activeState.listener));
  const listener = listeners.find(({ defaultFilterChain }) => defaultFilterChain !== undefined);
  if (listener?.defaultFilterChain === undefined) throw new Error(`${TRANSLATED} holds no listener of the Gateway edge/edge`);
  const [{ typedConfig, ...filter }] = listener.defaultFilterChain.filters;
  const { rds, ...manager } = typedConfig;
  const routeConfig = untyped(routes.find(({ name }) => name === rds.routeConfigName) ?? {});
  const filters = [{ ...filter, typedConfig: { ...manager, routeConfig } }];
  return {
    ...staticConfig({ ...untyped(listener), defaultFilterChain: { ...listener.defaultFilterChain, filters } }, clusters),
    layered_runtime: configs.find(({ bootstrap }) => bootstrap !== undefined)?.bootstrap?.layeredRuntime,
  };
}

/** Endpoints of a cluster, with their addresses replaced where there is a place for them. */
const assignmentAt = ({ endpoints, ...rest }: z.infer<typeof EndpointsSchema>, place: string | undefined): object => ({
  ...untyped(rest),
  endpoints: endpoints.map((locality) => ({
    ...locality,
    lbEndpoints: locality.lbEndpoints.map(({ endpoint, ...each }) => ({
      ...each,
      endpoint: place === undefined ? endpoint : { ...endpoint, address: addressOf(place) },
    })),
  })),
});

/** A Gateway of Envoy Gateway. */
export const envoyGateway: Mesh = {
  title: "Envoy Gateway",
  rollout: "envoy-gateway/rollout.yaml",
  host: "shop.example",
  config: configOf,
};
