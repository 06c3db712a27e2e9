import { DocumentError, type Fault } from "../contract/errors.ts";
import { type PolicyInput, PolicySchema } from "../contract/policy.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../contract/rollout.ts";
import { type Segment, SegmentSchema } from "../contract/segments.ts";
import { nearestName } from "./nearest-name.ts";
import { type Finding, findings } from "./schema-findings.ts";
import type { Path } from "./schema-shape.ts";
import { readYaml, type YamlDocument } from "./yaml-source.ts";

const MAX_BYTES = 1_048_576;
const KINDS = ["Rollout", "Segment", "Policy"] as const;
type Kind = (typeof KINDS)[number];

/** A rollout as checked and as written; both mean the same, the second is what is stored. */
export interface RolloutDocument {
  readonly rollout: Rollout;
  readonly written: RolloutInput;
}

/** A segment as checked. */
export interface SegmentDocument {
  readonly segment: Segment;
  /** A fault of a part of it that was found later. */
  faultAt(path: Path, problem: string, fix: string): Fault;
}

/** What a file holds, each kind in the order of the file. */
export interface Documents {
  readonly rollouts: readonly RolloutDocument[];
  readonly segments: readonly SegmentDocument[];
  /** The policy as written; at most one. */
  readonly policies: readonly PolicyInput[];
}

/** All rollouts of a YAML text (several by `---`). Throws DocumentError with every fault of the file at once. */
export function parseRollouts(text: string, file: string): Rollout[] {
  return readDocuments(text, file).rollouts.map(({ rollout }) => rollout);
}

/** Like `parseRollouts`, with each document as written beside it, and with segments and policy. */
export function readDocuments(text: string, file: string): Documents {
  const whole = (problem: string, fix: string): DocumentError => new DocumentError([{ file, line: 1, column: 1, path: "", problem, fix }]);
  if (Buffer.byteLength(text) > MAX_BYTES) throw whole("the file is larger than 1 MiB", "split it");
  const documents = readYaml(text);
  if (documents.length === 0)
    throw whole("the file holds no rollout, no segment and no policy", "write one that begins with apiVersion: serin/v1 and kind: Rollout");

  const checked = documents.map((document) => checkDocument(document, file));
  const faults = [...checked.flatMap((result) => result.faults), ...repeatedNames(documents, file)];
  if (faults.length > 0) throw new DocumentError(faults.toSorted((a, b) => a.line - b.line || a.column - b.column));
  return {
    rollouts: checked.flatMap(({ rollout }) => (rollout === undefined ? [] : [rollout])),
    segments: checked.flatMap(({ segment }) => (segment === undefined ? [] : [segment])),
    policies: checked.flatMap(({ policy }) => (policy === undefined ? [] : [policy])),
  };
}

interface Checked {
  readonly faults: readonly Fault[];
  readonly rollout?: RolloutDocument;
  readonly segment?: SegmentDocument;
  readonly policy?: PolicyInput;
}

function checkDocument(document: YamlDocument, file: string): Checked {
  const { value } = document;
  const faults = document.faults.map((fault): Fault => ({ file, path: "", ...fault }));
  if (value === undefined) return { faults };
  if (kindOf(value) === "Segment") {
    const segment = SegmentSchema.safeParse(value, { reportInput: true });
    const faultAt: SegmentDocument["faultAt"] = (path, problem, fix) => faultOf({ path, problem, fix, at: "value" }, document, file);
    if (segment.success) return { faults, segment: { segment: segment.data, faultAt } };
    return { faults: [...faults, ...findings(segment.error.issues, SegmentSchema).map((finding) => faultOf(finding, document, file))] };
  }
  if (kindOf(value) === "Policy") {
    const policy = PolicySchema.safeParse(value, { reportInput: true });
    // The schema has just accepted exactly this value as its input.
    if (policy.success) return { faults, policy: value as PolicyInput };
    return { faults: [...faults, ...findings(policy.error.issues, PolicySchema).map((finding) => faultOf(finding, document, file))] };
  }
  const result = RolloutSchema.safeParse(value, { reportInput: true });
  // The schema has just accepted exactly this value as its input.
  if (result.success) return { faults, rollout: { rollout: result.data, written: value as RolloutInput } };
  const found = findings(result.error.issues, RolloutSchema);
  const relevant = kindOf(value) === undefined ? ofOtherKind(found) : found;
  return { faults: [...faults, ...relevant.map((finding) => faultOf(finding, document, file))] };
}

/** What a document says that it is, a slip of the pen allowed; undefined for something else. */
function kindOf(value: unknown): Kind | undefined {
  const kind = fieldOf(value, "kind");
  const nearest = kind === undefined ? "Rollout" : nearestName(kind, KINDS);
  return KINDS.find((known) => known === nearest);
}

/** A document of quite another kind: each of its keys would be a fault, and none of those would help. */
const ofOtherKind = (found: readonly Finding[]): Finding[] =>
  found.flatMap((finding) => {
    if (finding.path[0] === "kind") return [{ ...finding, fix: `write ${KINDS.map((kind) => `"${kind}"`).join(" or ")}` }];
    return finding.path[0] === "apiVersion" ? [finding] : [];
  });

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

function repeatedNames(documents: readonly YamlDocument[], file: string): Fault[] {
  const firstLines = new Map<string, number>();
  return documents.flatMap((document): Fault[] => {
    const again = (path: "name" | "kind", what: string, fix: string): Fault[] => {
      const place = document.placeOf([path], "value");
      const before = firstLines.get(what);
      if (before === undefined) firstLines.set(what, place.line);
      const shown = path === "kind" ? "a policy" : fieldOf(document.value, "name");
      return before === undefined ? [] : [{ file, ...place, path, problem: `${shown} stands in line ${before} already`, fix }];
    };
    const kind = kindOf(document.value);
    if (kind === "Policy") return again("kind", "policy", "write all of it into one");
    const name = fieldOf(document.value, "name");
    // A rollout and a segment may have the same name.
    const what = kind === "Segment" ? "segment" : "rollout";
    return name === undefined ? [] : again("name", `${what} ${name}`, `give each ${what} its own name`);
  });
}

function fieldOf(value: unknown, key: "kind" | "name"): string | undefined {
  if (typeof value !== "object" || value === null || !(key in value)) return undefined;
  const field: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return typeof field === "string" ? field : undefined;
}
