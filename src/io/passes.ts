import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { type Pass, PassSchema, SignedPassSchema } from "../contract/passes.ts";
import { keyId, type OperatorKeys } from "./kill-signatures.ts";

/** Before what is signed, so that no other word of an operator is ever taken for a pass. */
const DOMAIN = "serin pass\n";

const signed = (payload: string): Buffer => Buffer.from(DOMAIN + payload);

/** Writes a pass as text that fits into an address. */
export function signPass(pass: Pass, key: KeyObject): string {
  const payload = JSON.stringify(pass);
  const signature = sign(null, signed(payload), key).toString("base64");
  return Buffer.from(JSON.stringify({ payload, keyId: keyId(createPublicKey(key)), signature })).toString("base64url");
}

/** A pass that one of these keys signed and that still holds; else why it is refused. */
export function verifiedPass(text: string, keys: OperatorKeys, nowMs: number): Pass | { readonly refused: string } {
  const parsed = SignedPassSchema.safeParse(parsedJson(Buffer.from(text, "base64url").toString("utf8")));
  if (!parsed.success) return { refused: "it is cut off or altered; open the whole link" };
  const { payload, keyId: id, signature } = parsed.data;
  const key = keys.get(id);
  if (key === undefined) return { refused: `it is signed by ${id}, whose key is none of --operator-keys` };
  if (!verify(null, signed(payload), key, Buffer.from(signature, "base64"))) return { refused: "its signature does not fit" };
  const pass = PassSchema.safeParse(parsedJson(payload));
  if (!pass.success) return { refused: "it has another form; ask for a new one" };
  return pass.data.untilMs < nowMs
    ? { refused: `it held until ${new Date(pass.data.untilMs).toISOString()}; ask for a new one` }
    : pass.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says that it is none.
  }
}
