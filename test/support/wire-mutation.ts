import { MESSAGE_TABLES } from "../../src/sidecar/wire/message-tables.ts";
import { LOG_TABLES } from "./log-lines.ts";
import { OTLP_TABLES } from "./otlp-counters.ts";

const TABLES = { ...MESSAGE_TABLES, ...OTLP_TABLES, ...LOG_TABLES };

/** Chooses numbers in [0, below). */
export type Choose = (below: number) => number;

/** A field of protobuf bytes; a message holds fields of its own. */
interface Node {
  number: number;
  wire: number;
  /** Wire type that its tag tells, where that is not its own: known fields are read by their schema all the same. */
  told?: number;
  /** Bytes as they stand after the tag, or the fields of a nested message. */
  content: Buffer | Node[];
}

/** Bytes that mean something to the readers, to be put in the place of others. */
const TEXTS = [
  "",
  "x-user-id",
  ":path",
  "serin",
  "grpc-status",
  "envoy.filters.http.ext_proc",
  "source.address",
  "ü ",
  // Bytes of the one are letters of the other in Latin-1, and a cache of strings may have both in one place.
  "Υš",
  "Î¥Å¡",
  "__proto__",
  "10.0.0.1:80",
];

/** Changes the tree of a message in one to three places and writes it anew, lengths and all: nearly always it still decodes. */
export function mutateTree(bytes: Buffer, type: string, choose: Choose): Buffer {
  const tree = parse(bytes, type);
  for (let left = 1 + choose(3); left > 0; left -= 1) mutate(pickList(tree, choose), choose);
  return encode(tree);
}

/** Changes bytes blindly: flips, cuts, inserts. */
export function mutateBytes(bytes: Buffer, choose: Choose): Buffer {
  const at = choose(Math.max(1, bytes.length));
  switch (choose(4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([choose(256)]), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + choose(4))]);
    default: {
      const changed = Buffer.from(bytes);
      changed[at] = choose(256);
      return changed;
    }
  }
}

/** A random field of a random list somewhere in the tree. */
function pickList(tree: Node[], choose: Choose): Node[] {
  const nested = tree.map(({ content }) => content).filter((content) => Array.isArray(content));
  const next = nested[choose(nested.length + 1)];
  return next === undefined ? tree : pickList(next, choose);
}

function mutate(list: Node[], choose: Choose): void {
  const at = choose(Math.max(1, list.length));
  const node = list[at];
  if (node === undefined || choose(6) === 0) {
    list.splice(at, 0, unknownField(choose));
    return;
  }
  switch (choose(6)) {
    case 0:
      list.splice(at, 1);
      return;
    case 3:
      node.told = choose(8);
      return;
    case 1:
      list.push(structuredClone(node));
      return;
    case 2:
      list.reverse();
      return;
    default:
      if (!Array.isArray(node.content)) node.content = otherContent(node.wire, choose);
      else list.splice(choose(list.length), 0, structuredClone(node));
  }
}

function otherContent(wire: number, choose: Choose): Buffer {
  if (wire === 0) return varint(choose(2) === 0 ? choose(8) : choose(2 ** 31) * (1 + choose(1_000)));
  if (wire === 1) return Buffer.from(Array.from({ length: 8 }, () => choose(256)));
  const text = TEXTS[choose(TEXTS.length + 1)];
  return text === undefined ? Buffer.from(Array.from({ length: choose(40) }, () => choose(256))) : Buffer.from(text);
}

function unknownField(choose: Choose): Node {
  const wire = [0, 1, 2, 3, 5][choose(5)] ?? 0;
  const number = 900 + choose(100);
  if (wire === 3) return { number, wire, content: Buffer.concat([varint(5 * 8), varint(choose(1_000)), varint(number * 8 + 4)]) };
  return { number, wire, content: wire === 5 ? Buffer.alloc(4, choose(256)) : otherContent(wire, choose) };
}

function parse(bytes: Buffer, type: string): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = readVarint(bytes, at);
    const node: Node = { number: tag >>> 3, wire: tag & 7, content: Buffer.alloc(0) };
    if (node.wire === 2) {
      const [length, from] = readVarint(bytes, afterTag);
      const inner = bytes.subarray(from, from + length);
      const nested = typeOf(type, node.number);
      node.content = nested === undefined ? Buffer.from(inner) : parse(inner, nested);
      at = from + length;
    } else {
      const end = node.wire === 1 ? afterTag + 8 : node.wire === 5 ? afterTag + 4 : readVarint(bytes, afterTag)[1];
      node.content = Buffer.from(bytes.subarray(afterTag, end));
      at = end;
    }
    nodes.push(node);
  }
  return nodes;
}

/** Type of the message in a field; an entry of a map is a message of key and value. Undefined for what is none. */
function typeOf(type: string, number: number): string | undefined {
  if (type.startsWith("entry of ")) return number === 2 ? messageIn(type.slice("entry of ".length)) : undefined;
  const kind =
    TABLES[type]
      ?.split("|")
      .find((line) => line.startsWith(`${number} `))
      ?.split(" ")[2] ?? "";
  return kind.endsWith("{}") ? `entry of ${kind.slice(0, -2)}` : messageIn(kind.replace("[]", ""));
}

const messageIn = (kind: string): string | undefined => (Object.hasOwn(TABLES, kind) ? kind : undefined);

const encode = (nodes: readonly Node[]): Buffer =>
  Buffer.concat(
    nodes.map(({ number, wire, told = wire, content }) => {
      const bytes = Array.isArray(content) ? encode(content) : content;
      return Buffer.concat([varint(number * 8 + told), ...(wire === 2 ? [varint(bytes.length)] : []), bytes]);
    }),
  );

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function readVarint(bytes: Buffer, from: number): [value: number, end: number] {
  let value = 0;
  let factor = 1;
  for (let at = from; ; at += 1, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at + 1];
  }
}
