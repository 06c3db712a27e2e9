import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";

/** Numbers of fields of OTLP's logs (opentelemetry-proto: logs_service.proto, logs.proto, common.proto). */
const RESOURCE_LOGS = 1;
const SCOPE_LOGS = 2;
const LOG_RECORDS = 2;
const BODY = 5;
const STRING = 1;

/** An answer's field, and the number in it, that tell how many entries were not taken. */
export const PARTIAL_SUCCESS = 1;
export const REJECTED_LOG_RECORDS = 1;

/** Without a schema every field that is not taken is passed over. */
const ANYTHING: Message = [];

/** Reads the bodies of an OTLP `ExportLogsServiceRequest`, as Envoy's OpenTelemetry logger sends them: a text for each request. */
export class LogLineReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  #lines: string[] = [];
  #line = "";

  /** The lines in the bytes [from, to); "" for an entry whose body is no text. Throws WireError. */
  read(bytes: Buffer, from: number, to: number): readonly string[] {
    this.#lines = [];
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    this.#reader.each(to, ANYTHING, this.#onRequest);
    return this.#lines;
  }

  readonly #onRequest = (field: number): boolean => this.#into(field === RESOURCE_LOGS, this.#onResource);
  readonly #onResource = (field: number): boolean => this.#into(field === SCOPE_LOGS, this.#onScope);

  readonly #onScope = (field: number): boolean => {
    if (field !== LOG_RECORDS) return false;
    this.#line = "";
    this.#into(true, this.#onRecord);
    this.#lines.push(this.#line);
    return true;
  };

  readonly #onRecord = (field: number): boolean => {
    // Of a body that comes twice the last counts.
    if (field === BODY) this.#line = "";
    return this.#into(field === BODY, this.#onBody);
  };

  readonly #onBody = (field: number): boolean => {
    if (field !== STRING) return false;
    this.#line = this.#cursor.string();
    return true;
  };

  #into(isTaken: boolean, on: (field: number) => boolean): boolean {
    if (isTaken) this.#reader.each(this.#cursor.lengthEnd(), ANYTHING, on);
    return isTaken;
  }
}
