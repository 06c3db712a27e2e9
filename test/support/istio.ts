import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { packageRoot } from "../../src/io/package-root.ts";
import type { Mesh, Places } from "./mesh-edge.ts";
import { endpointsAt, staticConfig } from "./static-config.ts";

const HCM = "envoy.filters.network.http_connection_manager";
const ROUTER = { name: "envoy.filters.http.router", typed_config: typed("http.router.v3.Router") };

const PatchSchema = z.discriminatedUnion("applyTo", [
  z.looseObject({ applyTo: z.literal("CLUSTER"), patch: z.looseObject({ operation: z.literal("ADD"), value: z.looseObject({}) }) }),
  z.looseObject({
    applyTo: z.literal("HTTP_FILTER"),
    patch: z.looseObject({ operation: z.literal("INSERT_BEFORE"), value: z.looseObject({}) }),
  }),
  z.looseObject({
    applyTo: z.literal("NETWORK_FILTER"),
    patch: z.looseObject({ operation: z.literal("MERGE"), value: z.looseObject({ typed_config: z.looseObject({}) }) }),
  }),
]);
const FilterSchema = z.looseObject({ kind: z.literal("EnvoyFilter"), spec: z.looseObject({ configPatches: z.array(PatchSchema) }) });

const DestinationSchema = z.looseObject({ host: z.string(), subset: z.string(), port: z.looseObject({ number: z.int() }) });
const RouteSchema = z.looseObject({
  name: z.string(),
  match: z
    .tuple([
      z.strictObject({
        uri: z.strictObject({ prefix: z.string() }),
        headers: z.record(z.string(), z.strictObject({ exact: z.string() })),
      }),
    ])
    .optional(),
  route: z.tuple([z.looseObject({ destination: DestinationSchema })]),
});
const ServiceSchema = z.looseObject({ kind: z.literal("VirtualService"), spec: z.looseObject({ http: z.array(RouteSchema) }) });

/** The documents of one of Istio's files that have this form. */
async function documentsOf<Form extends z.ZodType>(file: string, form: Form): Promise<z.infer<Form>[]> {
  const text = await readFile(join(packageRoot(), "deploy", "istio", file), "utf8");
  return parseAllDocuments(text).flatMap((document) => {
    const { data, success } = form.safeParse(document.toJS());
    return success ? [data] : [];
  });
}

/** `@type` of an extension of Envoy. */
function typed(type: string): object {
  return { "@type": `type.googleapis.com/envoy.extensions.filters.${type}` };
}

/** As istiod names the cluster of a subset. */
const clusterOf = ({ host, subset, port }: z.infer<typeof DestinationSchema>): string => `outbound|${port.number}|${subset}|${host}`;

/** As istiod makes routes of a VirtualService. */
const routesOf = ({ spec }: z.infer<typeof ServiceSchema>): object[] =>
  spec.http.map(({ name, match, route: [{ destination }] }) => ({
    name,
    match: {
      prefix: match?.[0].uri.prefix ?? "/",
      headers: Object.entries(match?.[0].headers ?? {}).map(([header, { exact }]) => ({ name: header, string_match: { exact } })),
    },
    route: { cluster: clusterOf(destination) },
  }));

/** What istiod makes of the files, as far as they say it, with the patches of an EnvoyFilter where istiod puts them. */
async function configOf(file: string, places: Places, socket: string): Promise<object> {
  const [[filter], [service]] = await Promise.all([documentsOf(file, FilterSchema), documentsOf("routes.yaml", ServiceSchema)]);
  if (filter === undefined || service === undefined) throw new Error(`${file} or routes.yaml has no document of the kind it should have`);
  const clusters: object[] = Object.entries(places).map(([name, place]) => ({
    name: name.replace(/;$/, ""),
    // So that Envoy's statistics can be taken apart again.
    alt_stat_name: `${name};`,
    ...endpointsAt(name, place),
  }));
  const filters: object[] = [ROUTER];
  let manager: object = {
    ...typed("network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: "outbound_0.0.0.0_8080",
    use_remote_address: true,
    route_config: { name: "http.8080", virtual_hosts: [{ name: "shop", domains: ["*"], routes: routesOf(service) }] },
    http_filters: filters,
  };
  for (const { applyTo, patch } of filter.spec.configPatches) {
    if (applyTo === "CLUSTER") clusters.push({ ...patch.value, ...endpointsAt("serin", `unix:${socket}`) });
    else if (applyTo === "HTTP_FILTER") filters.splice(filters.indexOf(ROUTER), 0, patch.value);
    else manager = { ...manager, ...patch.value.typed_config };
  }
  return staticConfig({ filter_chains: [{ filters: [{ name: HCM, typed_config: manager }] }] }, clusters);
}

const mesh = (title: string, file: string, host: string): Mesh => ({
  title,
  rollout: "istio/rollout.yaml",
  host,
  config: (places, socket) => configOf(file, places, socket),
});

/** Users come through an ingress gateway. */
export const istioGateway = mesh("Istio's ingress gateway", "gateway.yaml", "shop.example");

/** Other services call. */
export const istioOutbound = mesh("calls between services on Istio", "outbound.yaml", "checkout.shop.svc.cluster.local:8080");
