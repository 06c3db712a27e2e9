import { lengthField, varintField } from "./writer.ts";

/** Numbers of fields of `ProcessingResponse` and what it holds (external_processor.proto, processing_mode.proto, base.proto). */
const REQUEST_HEADERS = 1;
const RESPONSE_HEADERS = 2;
const MODE_OVERRIDE = 9;
const HEADER_MUTATION = 2;
const MUTATION = { setHeaders: 1, removeHeaders: 2 } as const;
const HEADER_OPTION = { header: 1, append: 2, appendAction: 3 } as const;
const HEADER_VALUE = { key: 1, rawValue: 3 } as const;
const RESPONSE_HEADER_MODE = 2;
const SEND = 1;
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** A header for the answer that the user gets. */
export interface ResponseHeader {
  readonly name: string;
  readonly value: string;
  /** `add` leaves those that the upstream has set, `overwrite` takes their place. */
  readonly how: "add" | "overwrite";
}

/** To follow an answer to request headers: Envoy shall send the headers of the response too. */
export const ASK_FOR_RESPONSE = lengthField(MODE_OVERRIDE, varintField(RESPONSE_HEADER_MODE, SEND));

/** To follow an answer to request headers, with which Envoy merges it: the request loses a header. */
export const removeFromRequest = (name: string): Buffer =>
  lengthField(REQUEST_HEADERS, lengthField(1, lengthField(HEADER_MUTATION, lengthField(MUTATION.removeHeaders, name))));

/** The answer to response headers. */
export const responseAnswer = (headers: readonly ResponseHeader[]): Buffer =>
  lengthField(RESPONSE_HEADERS, lengthField(1, lengthField(HEADER_MUTATION, Buffer.concat(headers.map(setHeader)))));

function setHeader({ name, value, how }: ResponseHeader): Buffer {
  const header = Buffer.concat([lengthField(HEADER_VALUE.key, name), lengthField(HEADER_VALUE.rawValue, value)]);
  // Envoy 1.40's ext_proc appends only by the older field `append`: it overwrites by APPEND_IF_EXISTS_OR_ADD, which is 0 and so is not sent.
  const action =
    how === "add"
      ? lengthField(HEADER_OPTION.append, varintField(1, 1))
      : varintField(HEADER_OPTION.appendAction, OVERWRITE_IF_EXISTS_OR_ADD);
  return lengthField(MUTATION.setHeaders, Buffer.concat([lengthField(HEADER_OPTION.header, header), action]));
}
