import { describe, expect, test } from "vitest";
import { RequestReader } from "../../../../src/sidecar/wire/request.ts";
import { PROCESSING_REQUEST, referenceCodec } from "../../../support/reference-codec.ts";

const codec = referenceCodec(PROCESSING_REQUEST);
const struct = (fields: object) => ({ fields });
const text = (stringValue: string) => ({ stringValue });

function claimsOf(filterMetadata: object, path: readonly string[]): readonly string[] {
  const bytes = codec.encode({ requestHeaders: { headers: { headers: [] } }, metadataContext: { filterMetadata } });
  const reader = new RequestReader();
  reader.read(bytes, 0, bytes.length);
  return reader.claims(path);
}

const PAYLOAD = struct({
  sub: text("alice"),
  level: { numberValue: 4 },
  admin: { boolValue: true },
  gone: { nullValue: 0 },
  roles: { listValue: { values: [text("ops"), { numberValue: 7 }, { structValue: struct({}) }, { boolValue: false }] } },
  realm: { structValue: struct({ roles: { listValue: { values: [text("beta")] } }, "a.b": text("dotted") }) },
});
const VERIFIED = { "envoy.filters.http.jwt_authn": struct({ other: text("no"), serin: { structValue: PAYLOAD } }) };

describe("a claim", () => {
  test.each<{ title: string; path: string[]; values: string[] }>([
    { title: "that is a text", path: ["sub"], values: ["alice"] },
    { title: "that is a number", path: ["level"], values: ["4"] },
    { title: "that is a truth value", path: ["admin"], values: ["true"] },
    {
      title: "that is a list, of which what is no text, number or truth value is left out",
      path: ["roles"],
      values: ["ops", "7", "false"],
    },
    { title: "inside another", path: ["realm", "roles"], values: ["beta"] },
    { title: "whose name has a dot", path: ["realm", "a.b"], values: ["dotted"] },
    { title: "that is null", path: ["gone"], values: [] },
    { title: "that is not there", path: ["email"], values: [] },
    { title: "inside one that is a text", path: ["sub", "x"], values: [] },
    { title: "that holds others", path: ["realm"], values: [] },
  ])("$title", ({ path, values }) => {
    expect(claimsOf(VERIFIED, path)).toEqual(values);
  });

  test.each<{ title: string; metadata: object }>([
    { title: "in another filter's metadata", metadata: { "some.filter": struct({ serin: { structValue: PAYLOAD } }) } },
    {
      title: "under another key, as a token that failed is shown",
      metadata: { "envoy.filters.http.jwt_authn": struct({ failed: { structValue: PAYLOAD } }) },
    },
    { title: "where no filter left any", metadata: {} },
  ])("is none $title", ({ metadata }) => {
    expect(claimsOf(metadata, ["sub"])).toEqual([]);
  });

  test("of the request before is not taken for this one's", () => {
    const reader = new RequestReader();
    const bytes = codec.encode({ requestHeaders: { headers: { headers: [] } }, metadataContext: { filterMetadata: VERIFIED } });
    reader.read(bytes, 0, bytes.length);
    const next = codec.encode({ requestHeaders: { headers: { headers: [] } } });
    reader.read(next, 0, next.length);
    expect(reader.claims(["sub"])).toEqual([]);
  });
});
