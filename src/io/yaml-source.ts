import { type Document, isScalar, LineCounter, parseAllDocuments, type YAMLError } from "yaml";
import type { Path } from "./schema-shape.ts";
import { MAX_ALIASES, nodeFaults, offsetsOf, type PathPart } from "./yaml-nodes.ts";

/** A line and column, counted from 1. */
export type Place = Readonly<{ line: number; column: number }>;

/** Something that YAML itself finds wrong. */
export type SyntaxFault = Place & Readonly<{ problem: string; fix: string }>;

/** One document of a YAML text: its value and what is wrong with it, and where each part of it stands. */
export interface YamlDocument {
  readonly faults: readonly SyntaxFault[];
  /** The value as plain data; undefined when the faults leave none. */
  readonly value: unknown;
  /** Where a part of the value begins. */
  placeOf(path: Path, part: PathPart): Place;
}

/** Reads every document of a YAML 1.2 text that holds anything; merge keys (`<<`) are understood. */
export function readYaml(text: string): YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: "error",
  });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents = [...parsed].filter(holdsAnything);
  // What follows an error of syntax is told when that is corrected: a text that is no YAML has an error in each line.
  const broken = documents.findIndex(({ errors }) => errors.some(({ code }) => code !== "RESOURCE_EXHAUSTION"));
  return documents.slice(0, broken === -1 ? undefined : broken + 1).map((document) => readDocument(document, place));
}

const holdsAnything = ({ contents, errors }: Document): boolean =>
  errors.length > 0 || (contents !== null && !(isScalar(contents) && contents.value === null));

function readDocument(document: Document, place: (offset: number) => Place): YamlDocument {
  const offsetAt = offsetsOf(document);
  const placeOf = (path: Path, part: PathPart): Place => place(offsetAt(path, part));
  // Where the stack ends differs from run to run, and what follows there is noise: depth is the whole document's fault.
  if (document.errors.some(({ code }) => code === "RESOURCE_EXHAUSTION")) {
    const fault = { ...placeOf([], "value"), problem: "nested too deeply", fix: "flatten it, or close a bracket that was left open" };
    return { faults: [fault], value: undefined, placeOf };
  }
  const syntax = onePerPlace([...document.errors, ...document.warnings].map((error) => ({ ...place(error.pos[0]), ...inOurWords(error) })));
  // After an error of syntax the nodes mean nothing; with a key that stands twice the rest can still be checked.
  if (document.errors.length > 0) return { faults: syntax.toReversed().slice(0, MOST_SYNTAX), value: undefined, placeOf };
  const { aliases, keys } = nodeFaults(document);
  const faults = [...syntax, ...[...keys, ...aliases].map(({ offset, problem, fix }) => ({ ...place(offset), problem, fix }))];
  if (aliases.length > 0) return { faults, value: undefined, placeOf };
  try {
    return { faults, value: document.toJS({ maxAliasCount: MAX_ALIASES }), placeOf };
  } catch (error) {
    const fault = { ...placeOf([], "value"), ...whyNoValue(error) };
    return { faults: [...faults, fault], value: undefined, placeOf };
  }
}

/** Why nodes without an error of syntax make no value, in the library's words: a ReferenceError where aliases grow beyond the count. */
function whyNoValue(error: unknown): Pick<SyntaxFault, "problem" | "fix"> {
  if (error instanceof ReferenceError) return { problem: "its aliases expand to too much", fix: "write the values out" };
  if (!(error instanceof Error) || !error.message.startsWith("Merge sources")) throw error;
  return { problem: "a key << merges what is no mapping", fix: "write the alias of a mapping there, or leave the key out" };
}

function inOurWords({ code, message }: YAMLError): Pick<SyntaxFault, "problem" | "fix"> {
  if (code === "NON_STRING_KEY") return { problem: "this key is not a text", fix: "put it in quotes" };
  if (code === "TAG_RESOLVE_FAILED") return { problem: "unknown tag", fix: "leave it out" };
  return { problem: `not YAML: ${cutQuotes(message.replace(/\s+/g, " ")).replace(/[.;]+$/, "")}`, fix: "correct the syntax here" };
}

/** Errors of syntax that are told at once. */
const MOST_SYNTAX = 3;

const MOST_QUOTED = 60;

/** The library quotes the file at length, and what is no token twice. */
function cutQuotes(message: string): string {
  const once = message.replace(/^(Not a YAML token): .*: (".*")$/, "$1: $2");
  return once.replace(/"((?:[^"\\]|\\.)*)"/g, (quote, text: string) =>
    text.length > MOST_QUOTED ? `"${text.slice(0, MOST_QUOTED)}..."` : quote,
  );
}

/** One error of syntax often draws others at its own place; the first says most. */
const onePerPlace = (faults: readonly SyntaxFault[]): SyntaxFault[] => [
  ...new Map(faults.toReversed().map((fault) => [`${fault.line}:${fault.column}`, fault])).values(),
];
