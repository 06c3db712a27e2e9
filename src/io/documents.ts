import { DocumentError, type Fault } from "../contract/errors.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../contract/rollout.ts";
import { nearestName } from "./nearest-name.ts";
import { type Finding, findings } from "./schema-findings.ts";
import type { Path } from "./schema-shape.ts";
import { readYaml, type YamlDocument } from "./yaml-source.ts";

const MAX_BYTES = 1_048_576;
const KIND = "Rollout";

/** A rollout as checked and as written; both mean the same, the second is what is stored. */
export interface RolloutDocument {
  readonly rollout: Rollout;
  readonly written: RolloutInput;
}

/** All rollouts of a YAML text (several by `---`). Throws DocumentError with every fault of the file at once. */
export function parseRollouts(text: string, file: string): Rollout[] {
  return readRollouts(text, file).map(({ rollout }) => rollout);
}

/** Like `parseRollouts`, with each document as written beside it. */
export function readRollouts(text: string, file: string): RolloutDocument[] {
  const whole = (problem: string, fix: string): DocumentError => new DocumentError([{ file, line: 1, column: 1, path: "", problem, fix }]);
  if (Buffer.byteLength(text) > MAX_BYTES) throw whole("the file is larger than 1 MiB", "split it");
  const documents = readYaml(text);
  if (documents.length === 0) throw whole("the file holds no rollout", "write one that begins with apiVersion: serin/v1 and kind: Rollout");

  const checked = documents.map((document) => checkDocument(document, file));
  const faults = [...checked.flatMap((result) => result.faults), ...repeatedNames(documents, file)];
  if (faults.length > 0) throw new DocumentError(faults.toSorted((a, b) => a.line - b.line || a.column - b.column));
  return checked.flatMap(({ read }) => (read === undefined ? [] : [read]));
}

function checkDocument(document: YamlDocument, file: string): { faults: readonly Fault[]; read?: RolloutDocument } {
  const { value } = document;
  const faults = document.faults.map((fault): Fault => ({ file, path: "", ...fault }));
  if (value === undefined) return { faults };
  const result = RolloutSchema.safeParse(value, { reportInput: true });
  // The schema has just accepted exactly this value as its input.
  if (result.success) return { faults, read: { rollout: result.data, written: value as RolloutInput } };
  const found = findings(result.error.issues, RolloutSchema);
  const relevant = isOtherKind(value) ? found.filter(({ path }) => path[0] === "kind" || path[0] === "apiVersion") : found;
  return { faults: [...faults, ...relevant.map((finding) => faultOf(finding, document, file))] };
}

const faultOf = ({ path, at, problem, fix }: Finding, document: YamlDocument, file: string): Fault => ({
  file,
  ...document.placeOf(path, at),
  path: written(path),
  problem,
  fix,
});

/** A path as people write it: `strategy.stages[3].share`. */
const written = (path: Path): string =>
  path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join("");

/** A document of quite another kind: each of its keys would be a fault, and none of those would help. */
function isOtherKind(value: unknown): boolean {
  const kind = fieldOf(value, "kind");
  return kind !== undefined && nearestName(kind, [KIND]) === undefined;
}

function repeatedNames(documents: readonly YamlDocument[], file: string): Fault[] {
  const firstLines = new Map<string, number>();
  return documents.flatMap((document): Fault[] => {
    const name = fieldOf(document.value, "name");
    if (name === undefined) return [];
    const place = document.placeOf(["name"], "value");
    const before = firstLines.get(name);
    if (before === undefined) firstLines.set(name, place.line);
    if (before === undefined) return [];
    return [{ file, ...place, path: "name", problem: `${name} stands in line ${before} already`, fix: "give each rollout its own name" }];
  });
}

function fieldOf(value: unknown, key: "kind" | "name"): string | undefined {
  if (typeof value !== "object" || value === null || !(key in value)) return undefined;
  const field: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return typeof field === "string" ? field : undefined;
}
