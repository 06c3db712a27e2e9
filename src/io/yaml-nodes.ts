import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, visit, type YAMLMap } from "yaml";
import type { Path } from "./schema-shape.ts";

/** What at a path is meant: the value, its key, or the mapping in which the path's last key is missing. */
export type PathPart = "value" | "key" | "parent";

/** Something that stands where it must not, at an offset of the text. */
export type NodeFault = Readonly<{ offset: number; problem: string; fix: string }>;

/** Aliases of one document; each costs a walk through it. */
export const MAX_ALIASES = 100;

/**
 * Aliases that lead nowhere, into themselves, or to too much, and keys that stand twice.
 * The library's own check for the latter takes a minute for 80,000 keys.
 */
export function nodeFaults(document: Document): { aliases: NodeFault[]; keys: NodeFault[] } {
  const aliases: NodeFault[] = [];
  const keys: NodeFault[] = [];
  const anchors = new Set<string>();
  let count = 0;
  visit(document, {
    Node(_key, node, ancestors) {
      const offset = startOf(node);
      if (isMap(node)) keys.push(...repeatedKeys(node));
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return;
      }
      const { source } = node;
      count += 1;
      if (count === MAX_ALIASES + 1) aliases.push({ offset, problem: `more than ${MAX_ALIASES} aliases`, fix: "write the values out" });
      if (!anchors.has(source))
        aliases.push({ offset, problem: `no anchor &${source} stands before this alias`, fix: "write the value itself" });
      const holder = ancestors.find((ancestor) => isNode(ancestor) && "anchor" in ancestor && ancestor.anchor === source);
      if (holder !== undefined)
        aliases.push({ offset, problem: `this alias stands inside its own anchor &${source}`, fix: "write the value out" });
    },
  });
  return { aliases, keys };
}

function repeatedKeys(map: YAMLMap): NodeFault[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }): NodeFault[] => {
    // Merge keys may stand several times.
    if (!isScalar(key) || key.value === "<<") return [];
    const name = String(key.value);
    if (seen.has(name)) return [{ offset: startOf(key), problem: `key ${name} stands twice`, fix: "keep one of the two" }];
    seen.add(name);
    return [];
  });
}

/** Finds where parts of a document stand, as offsets of its text; indexes each mapping once. */
export function offsetsOf(document: Document): (path: Path, part: PathPart) => number {
  const indexes = new WeakMap<YAMLMap, ReadonlyMap<string, YAMLMap["items"][number]>>();
  const pairOf = (map: YAMLMap, name: string): YAMLMap["items"][number] | undefined => {
    const index = indexes.get(map) ?? new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : "", pair] as const));
    indexes.set(map, index);
    return index.get(name);
  };
  const step = (node: unknown, part: string | number): unknown => {
    if (isMap(node)) return pairOf(node, String(part))?.value;
    return isSeq(node) ? node.items[Number(part)] : undefined;
  };
  const nodeAt = (path: Path): unknown => path.reduce<unknown>(step, document.contents);
  const keyAt = (path: Path): unknown => {
    const parent = nodeAt(path.slice(0, -1));
    return isMap(parent) && path.length > 0 ? pairOf(parent, String(path.at(-1)))?.key : nodeAt(path);
  };
  const offsetAt = (path: Path, part: PathPart): number => {
    if (part === "parent") return offsetAt(path.slice(0, -1), "key");
    const found = part === "key" ? keyAt(path) : nodeAt(path);
    if (isNode(found)) return startOf(found);
    // What came by alias or merge has the place of the nearest part that is written out.
    if (part === "value") return offsetAt(path, "key");
    return path.length === 0 ? 0 : offsetAt(path.slice(0, -1), "value");
  };
  return offsetAt;
}

const startOf = ({ range }: Node): number => range?.[0] ?? 0;
