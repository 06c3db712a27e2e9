import { parse, stringify } from "yaml";
import * as z from "zod";

/** What replaces the addresses of the shipped configuration. */
export interface EnvoyAddresses {
  /** `unix:PATH` or `HOST:PORT` of each sidecar. */
  readonly sidecars: readonly string[];
  /** `HOST:PORT` of the upstreams; the canary's may be none, or several. */
  readonly stable: string;
  readonly canary: string | readonly string[];
}

const ClusterSchema = z.looseObject({ name: z.string(), load_assignment: z.looseObject({ endpoints: z.unknown() }).optional() });
const ConfigSchema = z.looseObject({
  admin: z.looseObject({ address: z.unknown() }),
  static_resources: z.looseObject({
    listeners: z.tuple([z.looseObject({ address: z.unknown() })]),
    clusters: z.array(ClusterSchema),
  }),
});

/**
 * The shipped configuration with other addresses, and with the system choosing the ports of listener and admin page.
 * Everything else stays as shipped. Throws when a cluster of that name is not in it.
 */
export function withAddresses(shipped: string, { sidecars, stable, canary }: EnvoyAddresses): string {
  const config = ConfigSchema.parse(parse(shipped));
  const anyPort = addressOf("127.0.0.1:0");
  config.admin.address = anyPort;
  config.static_resources.listeners[0].address = anyPort;
  const addresses: Readonly<Record<string, readonly string[]>> = { serin: sidecars, stable: [stable], canary: [canary].flat() };
  for (const [name, list] of Object.entries(addresses)) {
    const cluster = config.static_resources.clusters.find((candidate) => candidate.name === name);
    if (cluster?.load_assignment === undefined) throw new Error(`the shipped configuration of Envoy has no cluster "${name}"`);
    cluster.load_assignment.endpoints = [{ lb_endpoints: list.map((address) => ({ endpoint: { address: addressOf(address) } })) }];
  }
  return stringify(config);
}

/** The longest path of a Unix socket: `sun_path` holds 108 bytes with its end on Linux, 104 on macOS. */
const MAX_SOCKET_BYTES = 103;

/** One of Envoy's addresses, from `HOST:PORT` or `unix:PATH`. Throws where a path is too long for a socket. */
export function addressOf(address: string): object {
  if (address.startsWith("unix:")) {
    const path = address.slice("unix:".length);
    if (Buffer.byteLength(path) > MAX_SOCKET_BYTES) throw new Error(`${path} is too long for a Unix socket; use a shorter directory`);
    return { pipe: { path } };
  }
  const colon = address.lastIndexOf(":");
  return { socket_address: { address: address.slice(0, colon), port_value: Number(address.slice(colon + 1)) } };
}
