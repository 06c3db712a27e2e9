import { join } from "node:path";
import { loadSync } from "@grpc/proto-loader";
import { packageRoot } from "../src/io/package-root.ts";

interface FieldType {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}
interface MessageType {
  readonly name: string;
  readonly field: readonly FieldType[];
  readonly nestedType: readonly MessageType[];
  readonly options: { readonly mapEntry?: boolean } | null;
}

const ROOTS = ["envoy.service.ext_proc.v3.ProcessingRequest", "envoy.service.accesslog.v3.StreamAccessLogsMessage"];
const SCALARS: Readonly<Record<string, string>> = {
  TYPE_STRING: "string",
  TYPE_BYTES: "bytes",
  TYPE_UINT32: "uint32",
  TYPE_INT32: "int32",
  TYPE_ENUM: "int32",
  TYPE_BOOL: "flag",
  TYPE_INT64: "long",
  TYPE_UINT64: "long",
  TYPE_DOUBLE: "double",
};

/** Where the text belongs. */
export const MESSAGE_TABLES_PATH = join("src", "sidecar", "wire", "message-tables.ts");

const LINE_WIDTH = 140;
const FILES = ["envoy/service/ext_proc/v3/external_processor.proto", "envoy/service/accesslog/v3/als.proto"];

type Types = ReadonlyMap<string, MessageType>;

/** The tables by which the sidecar reads Envoy's messages, made from the vendored protocol files: source text of a module. */
export function messageTablesText(): string {
  const types = loadTypes();
  const tables = new Map<string, string[]>();
  for (const path of ROOTS) visit(path, types, tables);
  const lines = [...tables].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, fields]) => lineOf(path, fields.join("|")));
  return `/** Written by \`npm run docs\` from the protocol files in proto/: each message's fields, as number, name and kind between bars. */
export const MESSAGE_TABLES: Readonly<Record<string, string>> = {
${lines.join("\n")}
};
`;
}

/** As the formatter would have it. */
function lineOf(path: string, fields: string): string {
  const line = `  "${path}": "${fields}",`;
  return line.length > LINE_WIDTH ? `  "${path}":\n    "${fields}",` : line;
}

function loadTypes(): Types {
  const types = new Map<string, MessageType>();
  const register = (path: string, type: MessageType): void => {
    if (!Array.isArray(type.field)) return;
    types.set(path, type);
    for (const nested of type.nestedType) register(`${path}.${nested.name}`, nested);
  };
  for (const [path, entry] of Object.entries(loadSync(FILES, { includeDirs: [join(packageRoot(), "proto")] }))) {
    // The definition's type is a descriptor (google.protobuf.DescriptorProto) as plain data.
    if ("type" in entry) register(path, entry.type as MessageType);
  }
  return types;
}

function visit(path: string, types: Types, tables: Map<string, string[]>): void {
  if (tables.has(path)) return;
  const fields = types.get(path)?.field.map((field) => fieldText(types, path, field)) ?? [];
  tables.set(path, fields);
  for (const field of fields) {
    const kind = field.split(" ")[2]?.replace(/[[\]{}]+$/, "") ?? "";
    if (types.has(kind)) visit(kind, types, tables);
  }
}

/** Names in descriptors are relative to the message that uses them. */
function resolve(types: Types, scope: string, name: string): string {
  for (let at = scope; at !== ""; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") {
    if (types.has(`${at}.${name}`)) return `${at}.${name}`;
  }
  if (types.has(name)) return name;
  throw new Error(`${scope} names ${name}, which no protocol file defines`);
}

function kindOf(types: Types, scope: string, { type, typeName, name }: FieldType): string {
  if (type === "TYPE_MESSAGE") return resolve(types, scope, typeName);
  const scalar = SCALARS[type];
  if (scalar === undefined) throw new Error(`${scope}.${name} is of a type that the sidecar does not read: ${type}`);
  return scalar;
}

/** `number name kind`, with `[]` after the kind of a list and `{}` after that of a map from strings. */
function fieldText(types: Types, scope: string, field: FieldType): string {
  const kind = kindOf(types, scope, field);
  const head = `${field.number} ${field.name} `;
  if (field.label !== "LABEL_REPEATED") return head + kind;
  const [key, value] = types.get(kind)?.options?.mapEntry === true ? (types.get(kind)?.field ?? []) : [];
  if (value !== undefined && key?.type !== "TYPE_STRING") throw new Error(`${scope}.${field.name} is a map of keys that are no strings`);
  if (value !== undefined) return `${head}${kindOf(types, kind, value)}{}`;
  // Numbers in a list may be packed, which nothing here needs.
  if (!["string", "bytes"].includes(kind) && !types.has(kind)) throw new Error(`${scope}.${field.name} is a list of numbers`);
  return `${head}${kind}[]`;
}
