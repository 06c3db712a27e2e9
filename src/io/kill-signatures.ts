import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UsageError } from "../contract/errors.ts";
import { type KillOrder, KillOrderSchema, type SignedKill, SignedKillSchema } from "../contract/kills.ts";
import { FORMAT } from "../contract/names.ts";

/** Operators' public keys by their ids. */
export type OperatorKeys = ReadonlyMap<string, KeyObject>;

const MAKE_ONE = "make one with `openssl genpkey -algorithm ed25519 -out operator.pem`";
const MAKE_PUBLIC = "make it with `openssl pkey -in operator.pem -pubout`";

/** Reads public keys in PEM, one after another. Throws UsageError. */
export async function readOperatorKeys(path: string): Promise<OperatorKeys> {
  const text = await textOf(path, MAKE_PUBLIC);
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0) throw new UsageError(`${path} holds no public key in PEM; ${MAKE_PUBLIC}`);
  return new Map(
    blocks.map((block) => {
      const key = keyOf(() => createPublicKey(block), path, MAKE_PUBLIC);
      return [keyId(key), key];
    }),
  );
}

/** Reads an operator's private key in PEM. Throws UsageError. */
export async function readSigningKey(path: string): Promise<KeyObject> {
  const text = await textOf(path, MAKE_ONE);
  return keyOf(() => createPrivateKey(text), path, MAKE_ONE);
}

function keyOf(read: () => KeyObject, path: string, fix: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new UsageError(`${path} holds no key that can be read; ${fix}`, { cause });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new UsageError(`${path} holds a key of ${key.asymmetricKeyType}, not of ed25519; ${fix}`);
  return key;
}

async function textOf(path: string, fix: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${path} cannot be read; ${fix}`, { cause });
  }
}

/** Names a public key. */
export const keyId = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex")
    .slice(0, 16);

/** Signs an order. */
export function signKill(order: KillOrder, key: KeyObject): SignedKill {
  const payload = JSON.stringify(order);
  return {
    format: FORMAT,
    payload,
    keyId: keyId(createPublicKey(key)),
    signature: sign(null, Buffer.from(payload), key).toString("base64"),
  };
}

/** Names a signed order as it travels, so that a receipt can tell of it. */
export const orderId = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

interface Refused {
  readonly refused: string;
}

/** The order in a message, when one of these keys signed it; else why it is refused. */
export function verifiedKill(data: Uint8Array, keys: OperatorKeys): KillOrder | Refused {
  const signed = signedOf(data);
  if ("refused" in signed) return signed;
  const { payload, keyId: id, signature } = signed;
  const key = keys.get(id);
  if (key === undefined) return { refused: `it is signed by ${id}, whose key is not known here` };
  if (!verify(null, Buffer.from(payload), key, Buffer.from(signature, "base64"))) return { refused: "its signature does not fit" };
  return orderOf(payload);
}

/** The order that a message states, whoever signed it. */
export function statedKill(data: Uint8Array): KillOrder | Refused {
  const signed = signedOf(data);
  return "refused" in signed ? signed : orderOf(signed.payload);
}

function signedOf(data: Uint8Array): SignedKill | Refused {
  const signed = SignedKillSchema.safeParse(parsed(new TextDecoder().decode(data)));
  return signed.success ? signed.data : { refused: "it has another form" };
}

function orderOf(payload: string): KillOrder | Refused {
  const order = KillOrderSchema.safeParse(parsed(payload));
  return order.success ? order.data : { refused: "its payload has another form" };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The schema says that it is none.
  }
}
