/** A message with the subject that it came by. */
export type Incoming = Readonly<{ subject: string; data: Uint8Array }>;

/** The sender's name in the subject. */
export const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf(".") + 1);

/** The message as JSON. Throws where it is none. */
export const parse = (data: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(data));

/** The id of a command that could not be carried out, as far as it can be read. */
export function idOf(data: Uint8Array): string {
  const value = parse(data);
  return typeof value === "object" && value !== null && "id" in value ? String(value.id) : "";
}
