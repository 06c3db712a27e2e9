import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { parseRollouts } from "../../src/io/documents.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Edge, startEdge } from "../support/edge.ts";
import { type EdgeUpstream, startHttp1Upstream } from "../support/edge-upstreams.ts";

const ISSUER = "https://login.example";
const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const strangers = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A token as a login service issues it (RFC 7519, ES256). */
function token(claims: object, key = keys.privateKey): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "ES256", kid: "one" })}.${part({ iss: ISSUER, exp: 4_000_000_000, ...claims })}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** The shipped configuration with Envoy's verification of tokens before the decision. */
function withTokens(shipped: string): string {
  const document = parseDocument(shipped);
  const path = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "http_filters"];
  const filters: unknown = document.getIn(path);
  const jwks = { keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256" }] };
  const jwt = {
    name: "envoy.filters.http.jwt_authn",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
      providers: { login: { issuer: ISSUER, local_jwks: { inline_string: JSON.stringify(jwks) }, payload_in_metadata: "serin" } },
      rules: [
        {
          match: { prefix: "/" },
          requires: { requires_any: { requirements: [{ provider_name: "login" }, { allow_missing_or_failed: {} }] } },
        },
      ],
    },
  };
  document.setIn(path, [jwt, ...Object(filters).toJSON()]);
  return document.toString();
}

describe("through a real Envoy that verifies tokens", () => {
  let upstreams: EdgeUpstream[] = [];
  let edge: Edge;
  beforeAll(async () => {
    const text = await readFile(join(packageRoot(), "docs", "examples", "claims.yaml"), "utf8");
    upstreams = await Promise.all([startHttp1Upstream("stable"), startHttp1Upstream("canary")]);
    const [stable = "", canary = ""] = upstreams.map(({ address }) => address);
    edge = await startEdge({ stable, canary, rollouts: parseRollouts(text, "claims.yaml"), change: withTokens });
  });
  afterAll(async () => {
    await edge.stop();
    await Promise.all(upstreams.map((upstream) => upstream.stop()));
  });

  async function answeredBy(headers: Record<string, string>): Promise<unknown> {
    const sent = httpRequest({
      port: edge.envoy.port,
      host: "127.0.0.1",
      agent: false,
      headers: { host: "api.example", ...headers },
    }).end();
    const [response] = await once(sent, "response");
    response.resume();
    await once(response, "end");
    return response.headers["x-answered-by"];
  }

  const staff = { sub: "ann", realm_access: { roles: ["dev", "staff"] } };

  test.each<{ title: string; headers: Record<string, string>; by: string }>([
    { title: "a claim of a verified token decides", headers: { authorization: `Bearer ${token(staff)}` }, by: "canary" },
    {
      title: "another role does not",
      headers: { authorization: `Bearer ${token({ sub: "ann", realm_access: { roles: ["dev"] } })}` },
      by: "stable",
    },
    { title: "nor a token of a stranger", headers: { authorization: `Bearer ${token(staff, strangers.privateKey)}` }, by: "stable" },
    { title: "nor an expired one", headers: { authorization: `Bearer ${token({ ...staff, exp: 1_000_000_000 })}` }, by: "stable" },
    { title: "nor none", headers: {}, by: "stable" },
  ])("$title", async ({ headers, by }) => {
    expect(await answeredBy(headers)).toBe(by);
  });
});
