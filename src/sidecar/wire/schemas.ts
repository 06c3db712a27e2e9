import type { Field, Message, Scalar } from "./fields.ts";
import { MESSAGE_TABLES } from "./message-tables.ts";

/** The schema of a message and of all that it holds. Throws when no table has its name. */
export function schemaOf(root: string): Message {
  const made = new Map<string, Message>();
  const make = (path: string): Message => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const message: Message = [];
    // First, because messages may contain themselves.
    made.set(path, message);
    for (const line of MESSAGE_TABLES[path]?.split("|") ?? []) {
      const [number, name = "", kind = ""] = line.split(" ");
      message[Number(number)] = fieldOf(name, kind);
    }
    return message;
  };
  const fieldOf = (name: string, kind: string): Field => {
    const type = kind.replace(/(\[\]|\{\})$/, "");
    // What is no message is a scalar: the generator knows no other.
    return { name, kind: Object.hasOwn(MESSAGE_TABLES, type) ? make(type) : (type as Scalar), isMap: kind.endsWith("{}") };
  };
  if (!Object.hasOwn(MESSAGE_TABLES, root)) throw new Error(`no table of messages holds ${root}`);
  return make(root);
}
