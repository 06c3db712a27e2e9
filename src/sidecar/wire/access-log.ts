import { METADATA_NAMESPACE } from "../../contract/names.ts";
import { Cursor } from "./cursor.ts";
import { type Message, MessageReader } from "./fields.ts";
import { emptyDecision, emptyEntry, type RawDecision, type RawEntry } from "./raw-entry.ts";
import { schemaOf } from "./schemas.ts";

/** Numbers of the fields that are read (als.proto, accesslog.proto, base.proto, struct.proto). */
const HTTP_LOGS = 2;
const ENTRY = { common: 1, response: 4 } as const;
const COMMON = {
  firstTx: 7,
  lastRx: 10,
  firstDownstreamTx: 11,
  address: 13,
  cluster: 15,
  flags: 16,
  metadata: 17,
  duration: 23,
  attempts: 24,
  type: 33,
} as const;
const RESPONSE = { code: 1, headers: 4, trailers: 5 } as const;
const VALUE = { number: 2, string: 3 } as const;
const DECISION = ["variant", "rollout", "run", "control", "cluster", "bucket", "session", "also"] as const;
const GRPC_STATUS = "grpc-status";
const SERIN = [METADATA_NAMESPACE] as const;

const DATA = "envoy.data.accesslog.v3";
const LOGS = "envoy.service.accesslog.v3.StreamAccessLogsMessage";

/** Reads Envoy's access log messages straight from the bytes; everything else in them is checked, and dropped. */
export class AccessLogReader {
  readonly #cursor = new Cursor();
  readonly #reader = new MessageReader(this.#cursor);
  readonly #schemas = {
    message: schemaOf(LOGS),
    logs: schemaOf(`${LOGS}.HTTPAccessLogEntries`),
    entry: schemaOf(`${DATA}.HTTPAccessLogEntry`),
    common: schemaOf(`${DATA}.AccessLogCommon`),
    response: schemaOf(`${DATA}.HTTPResponseProperties`),
    metadata: schemaOf("envoy.config.core.v3.Metadata"),
    struct: schemaOf("google.protobuf.Struct"),
    value: schemaOf("google.protobuf.Value"),
    duration: schemaOf("google.protobuf.Duration"),
    number: schemaOf("google.protobuf.UInt32Value"),
    flags: schemaOf(`${DATA}.ResponseFlags`),
  };
  #entries: RawEntry[] = [];
  #entry: RawEntry = emptyEntry();
  #hasCommon = false;
  #decision: RawDecision = emptyDecision();
  #text: string | undefined;
  #number = 0;
  #seconds = 0;

  /** The entries of a `StreamAccessLogsMessage` in the bytes [from, to). Throws WireError. */
  read(bytes: Buffer, from: number, to: number): readonly RawEntry[] {
    this.#entries = [];
    this.#cursor.reset(bytes, from, to);
    this.#reader.depth = 0;
    this.#reader.each(to, this.#schemas.message, this.#onMessage);
    return this.#entries;
  }

  // Each tells whether it took the field; what it did not take is checked. Of a field that comes twice the last counts.

  readonly #onMessage = (field: number): boolean => {
    if (field !== HTTP_LOGS) return false;
    this.#entries = [];
    this.#into(this.#schemas.logs, this.#onLogs);
    return true;
  };

  readonly #onLogs = (field: number): boolean => {
    if (field !== 1) return false;
    this.#entry = emptyEntry();
    this.#hasCommon = false;
    this.#into(this.#schemas.entry, this.#onEntry);
    this.#entries.push(this.#entry);
    return true;
  };

  readonly #onEntry = (field: number): boolean => {
    if (field === ENTRY.common) {
      if (this.#hasCommon) {
        const { responseCode, headerStatus, trailerStatus } = this.#entry;
        this.#entry = { ...emptyEntry(), responseCode, headerStatus, trailerStatus };
      }
      this.#hasCommon = true;
      this.#into(this.#schemas.common, this.#onCommon);
      return true;
    }
    if (field !== ENTRY.response) return false;
    this.#entry.responseCode = 0;
    this.#entry.headerStatus = undefined;
    this.#entry.trailerStatus = undefined;
    this.#into(this.#schemas.response, this.#onResponse);
    return true;
  };

  readonly #onCommon = (field: number): boolean => {
    const entry = this.#entry;
    switch (field) {
      case COMMON.firstTx:
        entry.firstUpstreamTxMs = this.#duration();
        return true;
      case COMMON.lastRx:
        entry.lastUpstreamRxMs = this.#duration();
        return true;
      case COMMON.firstDownstreamTx:
        entry.firstDownstreamTxMs = this.#duration();
        return true;
      case COMMON.duration:
        entry.durationMs = this.#duration();
        return true;
      case COMMON.address:
        entry.hasUpstreamAddress = true;
        entry.isOddAddress = this.#cursor.isOddAhead();
        return false;
      case COMMON.cluster:
        entry.upstreamCluster = this.#cursor.string();
        return true;
      case COMMON.flags:
        entry.flags = [];
        this.#into(this.#schemas.flags, this.#onFlags);
        return true;
      case COMMON.metadata:
        entry.decision = undefined;
        this.#into(this.#schemas.metadata, this.#onMetadata);
        return true;
      case COMMON.attempts:
        entry.attempts = this.#cursor.uint32();
        return true;
      case COMMON.type:
        entry.type = this.#cursor.uint32() | 0;
        return true;
      default:
        return false;
    }
  };

  readonly #onFlags = (field: number): boolean => {
    const flag = this.#schemas.flags[field];
    if (flag?.kind !== "flag") return false;
    const { flags } = this.#entry;
    const known = flags.indexOf(flag.name);
    const isSet = this.#cursor.uint32() !== 0;
    if (isSet && known === -1) flags.push(flag.name);
    if (!isSet && known !== -1) flags.splice(known, 1);
    return true;
  };

  readonly #onMetadata = (field: number): boolean => {
    if (field !== 1) return false;
    this.#reader.entry(this.#schemas.struct, SERIN, this.#onSerin);
    return true;
  };

  readonly #onSerin = (): void => {
    this.#decision = emptyDecision();
    this.#into(this.#schemas.struct, this.#onField);
    this.#entry.decision = this.#decision;
  };

  readonly #onField = (field: number): boolean => {
    if (field !== 1) return false;
    this.#reader.entry(this.#schemas.value, DECISION, this.#onDecision);
    return true;
  };

  readonly #onDecision = (name: (typeof DECISION)[number]): void => {
    this.#text = undefined;
    this.#number = Number.NaN;
    this.#into(this.#schemas.value, this.#onValue);
    if (name !== "bucket") this.#decision[name] = this.#text;
    else this.#decision.bucket = Number.isNaN(this.#number) ? undefined : this.#number;
  };

  readonly #onValue = (field: number): boolean => {
    if (field === VALUE.string) this.#text = this.#cursor.string();
    else if (field === VALUE.number) this.#number = this.#cursor.double();
    else return false;
    return true;
  };

  readonly #onResponse = (field: number): boolean => {
    switch (field) {
      case RESPONSE.code:
        this.#number = 0;
        this.#into(this.#schemas.number, this.#onNumber);
        this.#entry.responseCode = this.#number;
        return true;
      case RESPONSE.headers:
        this.#entry.headerStatus = this.#reader.textEntry(GRPC_STATUS) ?? this.#entry.headerStatus;
        return true;
      case RESPONSE.trailers:
        this.#entry.trailerStatus = this.#reader.textEntry(GRPC_STATUS) ?? this.#entry.trailerStatus;
        return true;
      default:
        return false;
    }
  };

  readonly #onNumber = (field: number): boolean => {
    if (field !== 1) return false;
    this.#number = this.#cursor.uint32();
    return true;
  };

  readonly #onDuration = (field: number): boolean => {
    if (field === 1) this.#seconds = this.#cursor.int64();
    else if (field === 2) this.#number = this.#cursor.uint32() | 0;
    else return false;
    return true;
  };

  #duration(): number {
    this.#seconds = 0;
    this.#number = 0;
    this.#into(this.#schemas.duration, this.#onDuration);
    return this.#seconds * 1_000 + this.#number / 1_000_000;
  }

  #into(schema: Message, on: (field: number) => boolean): void {
    this.#reader.each(this.#cursor.lengthEnd(), schema, on);
  }
}
