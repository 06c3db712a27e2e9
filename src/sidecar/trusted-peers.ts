import { isNetwork } from "../contract/conditions.ts";
import { networksOf } from "../core/decide/conditions.ts";

/** Who is at the other end of Envoy's connection. */
export interface Peer {
  readonly clientAddress: string | undefined;
  /** First URI in its certificate; undefined without one. */
  readonly certificateUri: string | undefined;
}

/** Tells which peers are believed: those in one of the networks, or with one of the URIs. */
export function createTrust(peers: readonly string[]): (peer: Peer) => boolean {
  const holds = networksOf(peers.filter(isNetwork));
  const uris = new Set<string | undefined>(peers.filter((peer) => !isNetwork(peer)));
  return (peer) => holds(peer.clientAddress) || uris.has(peer.certificateUri);
}
