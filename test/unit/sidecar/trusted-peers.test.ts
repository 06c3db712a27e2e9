import { describe, expect, test } from "vitest";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";
import { createTrust } from "../../../src/sidecar/trusted-peers.ts";

describe("a peer is believed", () => {
  const trusts = createTrust(["10.0.0.0/8", "fd00::/8", "spiffe://shop.example/web"]);
  test.each([
    { title: "in a network", peer: { clientAddress: "10.1.2.3" }, isTrusted: true },
    { title: "in a network of IPv6", peer: { clientAddress: "fd00::1" }, isTrusted: true },
    { title: "as IPv4 in IPv6's clothes", peer: { clientAddress: "::ffff:10.1.2.3" }, isTrusted: true },
    { title: "outside of them not", peer: { clientAddress: "192.0.2.1" }, isTrusted: false },
    { title: "without an address not", peer: {}, isTrusted: false },
    {
      title: "by the URI of its certificate",
      peer: { clientAddress: "192.0.2.1", certificateUri: "spiffe://shop.example/web" },
      isTrusted: true,
    },
    { title: "by a longer URI not", peer: { certificateUri: "spiffe://shop.example/web2" }, isTrusted: false },
  ])("$title", ({ peer, isTrusted }) => {
    expect(trusts({ clientAddress: undefined, certificateUri: undefined, ...peer })).toBe(isTrusted);
  });

  test("nowhere where nobody is named", () => {
    expect(createTrust([])({ clientAddress: "127.0.0.1", certificateUri: undefined })).toBe(false);
  });
});

describe("the option for trusted peers", () => {
  const parse = (trustPeers: readonly string[]) =>
    SidecarOptionsSchema.safeParse({ id: "a", extProc: "unix:a", source: { file: "a" }, trustPeers });
  test.each(["10.0.0.0/8", "fd00::/8", "spiffe://shop.example/web"])("takes %s", (peer) => {
    expect(parse([peer]).success).toBe(true);
  });
  test.each(["10.0.0.1", "web", "10.0.0.0/40", "spiffe:web"])("refuses %s", (peer) => {
    expect(parse([peer]).error?.issues[0]?.message).toBe(
      'not a peer; write a network like "10.0.0.0/8", or the URI of its certificate like "spiffe://shop/web"',
    );
  });
});
