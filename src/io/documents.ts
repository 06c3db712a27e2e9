import { type Document, isMap, isPair, isScalar, LineCounter, parseAllDocuments, type YAMLMap } from "yaml";
import { DocumentError, type Fault } from "../contract/errors.ts";
import { type Rollout, type RolloutInput, RolloutSchema } from "../contract/rollout.ts";
import { type Finding, findings } from "./schema-findings.ts";

const MAX_BYTES = 1_048_576;

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
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: "1.2" });
  const documents = [...parsed].filter((document) => document.contents !== null || document.errors.length > 0);
  if (documents.length === 0)
    throw whole("the file holds no rollout", "write one; apiVersion, kind, name, key, variants and strategy are needed");

  const faults: Fault[] = [];
  const read: RolloutDocument[] = [];
  const firstLine = new Map<string, number>();
  for (const document of documents) {
    const place = (offset: number): { line: number; column: number } => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    };
    faults.push(...syntaxFaults(document, file, place));
    if (document.errors.length > 0) continue;
    const result = checkDocument(document);
    if ("findings" in result) {
      faults.push(...result.findings.map((finding) => ({ file, ...place(offsetOf(document, finding)), ...described(finding) })));
      continue;
    }
    const { name } = result.rollout;
    const at = place(offsetOf(document, { path: ["name"], problem: "", fix: "" }));
    const before = firstLine.get(name);
    if (before === undefined) firstLine.set(name, at.line);
    else
      faults.push({
        file,
        ...at,
        path: "name",
        problem: `${name} stands in line ${before} already`,
        fix: "give each rollout its own name",
      });
    read.push(result);
  }
  if (faults.length > 0) throw new DocumentError(faults.toSorted((a, b) => a.line - b.line || a.column - b.column));
  return read;
}

function checkDocument(document: Document): RolloutDocument | { findings: Finding[] } {
  let written: unknown;
  try {
    written = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return { findings: [{ path: [], problem: "its aliases expand to too much", fix: "write the values out" }] };
  }
  const result = RolloutSchema.safeParse(written, { reportInput: true });
  if (!result.success) return { findings: findings(result.error.issues, RolloutSchema) };
  // The schema has just accepted exactly this value as its input.
  return { rollout: result.data, written: written as RolloutInput };
}

function syntaxFaults(document: Document, file: string, place: (offset: number) => { line: number; column: number }): Fault[] {
  return document.errors.map((error) => ({
    file,
    ...place(error.pos[0]),
    path: "",
    problem: `not YAML: ${error.message.replace(/\s+/g, " ").replace(/[.;]+$/, "")}`,
    fix: error.code === "DUPLICATE_KEY" ? "keep one of the two" : "correct the syntax here",
  }));
}

const described = ({ path, problem, fix }: Finding): Pick<Fault, "path" | "problem" | "fix"> => ({
  path: path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join(""),
  problem,
  fix,
});

/** Where a finding stands: at the key for an unknown key, at the value for a bad one, at the parent for a missing one. */
function offsetOf(document: Document, { path, atKey }: Finding): number {
  const parent = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent) && typeof last === "string") {
    const pair = pairOf(parent, last);
    const node = atKey === true || pair?.value === null ? pair?.key : pair?.value;
    if (hasRange(node)) return node.range[0];
  }
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (hasRange(node)) return node.range[0];
  }
  return 0;
}

const pairOf = (map: YAMLMap, key: string) =>
  map.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key);

const hasRange = (node: unknown): node is { range: [number, number, number] } =>
  typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
