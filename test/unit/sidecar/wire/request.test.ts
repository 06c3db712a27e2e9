import { describe, expect, test } from "vitest";
import { WireError } from "../../../../src/sidecar/wire/cursor.ts";
import { KIND, RequestReader } from "../../../../src/sidecar/wire/request.ts";
import { PROCESSING_REQUEST, referenceCodec } from "../../../support/reference-codec.ts";

const codec = referenceCodec(PROCESSING_REQUEST);
const raw = (key: string, value: string) => ({ key, rawValue: Buffer.from(value) });

function read(message: object): RequestReader {
  const reader = new RequestReader();
  const bytes = codec.encode(message);
  reader.read(bytes, 0, bytes.length);
  return reader;
}

const request = (headers: readonly object[], source?: string): object => ({
  requestHeaders: { headers: { headers } },
  ...(source === undefined
    ? {}
    : { attributes: { "envoy.filters.http.ext_proc": { fields: { "source.address": { stringValue: source } } } } }),
});

describe("request headers of Envoy", () => {
  test("are read raw, or as text from older Envoys", () => {
    const facts = read(request([raw(":authority", "Shop.example:443"), raw(":path", "/a?b"), { key: "x-user-id", value: "ü1" }]));
    expect([facts.host, facts.path, facts.headers("x-user-id")]).toEqual(["Shop.example:443", "/a?b", ["ü1"]]);
  });

  test("keep the values of a repeated header in order", () => {
    expect(read(request([raw("x-a", "1"), raw("x-b", "2"), raw("x-a", "3")])).headers("x-a")).toEqual(["1", "3"]);
  });

  test("are all found, however many there are", () => {
    const many = Array.from({ length: 500 }, (_, index) => raw(`x-${index}`, String(index)));
    expect(read(request(many)).headers("x-499")).toEqual(["499"]);
  });

  test("of one request are forgotten with the next", () => {
    const reader = read(request([raw("x-user-id", "u1")], "10.1.2.3:1"));
    const bytes = codec.encode(request([raw("x-other", "1")]));
    reader.read(bytes, 0, bytes.length);
    expect([reader.headers("x-user-id"), reader.host, reader.path, reader.clientAddress]).toEqual([[], "", "/", undefined]);
  });

  test.each([
    ["10.1.2.3:4711", "10.1.2.3"],
    ["[2001:db8::1]:80", "2001:db8::1"],
    ["/run/envoy.sock", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("with the source %j, the client's address is %j", (source, address) => {
    expect(read(request([], source)).clientAddress).toBe(address);
  });
});

describe("the peer of a request", () => {
  const uri = "connection.uri_san_peer_certificate";
  const withFields = (fields: object): object => ({ requestHeaders: {}, attributes: { "envoy.filters.http.ext_proc": { fields } } });

  test("is known by the first URI of its certificate, and by its address", () => {
    const peer = read(withFields({ [uri]: { stringValue: "spiffe://a/b" }, "source.address": { stringValue: "10.0.0.1:80" } }));
    expect([peer.certificateUri, peer.clientAddress]).toEqual(["spiffe://a/b", "10.0.0.1"]);
  });

  test("has no URI without a certificate", () => {
    expect(read(withFields({ "source.address": { stringValue: "10.0.0.1:80" } })).certificateUri).toBeUndefined();
    expect(read(request([])).certificateUri).toBeUndefined();
  });

  test("is believed only where the reader was told so", () => {
    const reader = read(withFields({ [uri]: { stringValue: "spiffe://a/b" } }));
    expect(reader.isTrustedPeer).toBe(false);
    reader.trusts = ({ certificateUri }) => certificateUri === "spiffe://a/b";
    expect(reader.isTrustedPeer).toBe(true);
  });
});

test.each(Object.entries(KIND).filter(([, kind]) => kind !== KIND.none))("a message of the kind %s is known by it", (name, kind) => {
  const bytes = codec.encode({ [name]: {} });
  expect(new RequestReader().read(bytes, 0, bytes.length)).toBe(kind);
});

test("bytes that are no message are refused", () => {
  const bytes = codec.encode(request([raw("x-a", "1")]));
  expect(() => new RequestReader().read(bytes, 0, bytes.length - 1)).toThrow(WireError);
});
