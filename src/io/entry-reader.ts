import type { FileHandle } from "node:fs/promises";
import type { UserTable } from "../contract/user-lists.ts";
import { EntryFault, EntryScanner, type RawEntry } from "./entry-scanner.ts";
import { ListReader } from "./list-reader.ts";
import { createSlices, inSlices } from "./slices.ts";

/** Bytes that can be read anywhere, more than once. */
export interface ByteSource {
  /** Fills the buffer from a position; answers how many bytes there were. */
  read(buffer: Buffer, position: number): Promise<number>;
}

/** The text of one entry; long lists of users are tables already, and empty in the text. */
export interface EntryText {
  readonly name: string;
  readonly text: string;
  /** In the order in which their lists stand in the text. */
  readonly tables: readonly UserTable[];
}

/** The entries of one field, read as far as they are new. */
export interface Entries<Parsed> {
  /** Fingerprint of each entry by name. */
  readonly fingerprints: ReadonlyMap<string, string>;
  /** Entries whose fingerprint was not known under their name. */
  readonly changed: ReadonlyMap<string, Parsed>;
}

/** A document whose entries were read as far as they are new. */
export interface ReadEntries<Parsed, Beside = never> extends Entries<Parsed> {
  /** Its fields besides the entries. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The entries of the other field. */
  readonly beside: Entries<Beside>;
}

interface Container<Parsed> {
  /** The field that holds the entries. */
  readonly container: string;
  /** Fingerprints by name of what was read before. */
  readonly known: ReadonlyMap<string, string>;
  parse(entry: EntryText): Parsed;
}

interface Options<Parsed, Beside> extends Container<Parsed> {
  /** Another field with entries. */
  readonly beside?: Container<Beside> | undefined;
}

const CHUNK = 65_536;

/**
 * Reads a document of many entries in slices of a few milliseconds, and parses only the entries that changed. Throws a SyntaxError
 * on what is no JSON, an EntryFault on what cannot be read all the same, and what `parse` throws.
 */
export async function readEntries<Parsed, Beside = never>(
  source: ByteSource,
  options: Options<Parsed, Beside>,
): Promise<ReadEntries<Parsed, Beside>> {
  const own = collect(options);
  const beside = options.beside === undefined ? undefined : collect(options.beside);
  const collectors = beside === undefined ? [own] : [own, beside];
  const large: { readonly entry: RawEntry; readonly add: (entry: EntryText) => void }[] = [];
  const scanner = new EntryScanner(
    collectors.map(({ container }) => container),
    (entry) => {
      const { container, name, fingerprint, bytes } = entry;
      const collector = container === own.container ? own : (beside ?? own);
      if (!collector.isNew(name, fingerprint)) return;
      if (bytes === undefined) large.push({ entry, add: collector.add });
      else collector.add({ name, text: bytes.toString("utf8"), tables: [] });
    },
  );
  await eachChunk(source, { start: 0, length: Number.POSITIVE_INFINITY }, (chunk) => scanner.push(chunk));
  const fields = scanner.end();
  for (const { entry, add } of large) {
    const lists = new ListReader();
    await eachChunk(source, entry, (chunk) => lists.push(chunk));
    add({ name: entry.name, ...(await inSlices(lists.finishing())) });
  }
  return { fields, ...own.read, beside: beside?.read ?? { fingerprints: new Map(), changed: new Map() } };
}

/** Takes the entries of one field. */
function collect<Parsed>({ container, known, parse }: Container<Parsed>) {
  const fingerprints = new Map<string, string>();
  const changed = new Map<string, Parsed>();
  return {
    container,
    read: { fingerprints, changed },
    isNew(name: string, fingerprint: string): boolean {
      if (fingerprints.has(name)) throw new EntryFault(`${container}.${name} stands twice`);
      const before = known.get(name);
      const isKnown = before === fingerprint;
      // The text from before is old already: ten thousand new ones would have to be moved by the garbage collector.
      fingerprints.set(name, isKnown ? before : fingerprint);
      return !isKnown;
    },
    add: (entry: EntryText): void => void changed.set(entry.name, parse(entry)),
  };
}

/** Bytes in memory. */
export const bytesSource = (bytes: Uint8Array): ByteSource => ({
  read: (buffer, position) => {
    const part = bytes.subarray(position, position + buffer.length);
    buffer.set(part);
    return Promise.resolve(part.length);
  },
});

/** An open file. */
export const fileSource = (file: FileHandle): ByteSource => ({
  read: async (buffer, position) => (await file.read(buffer, 0, buffer.length, position)).bytesRead,
});

/** Hands over the bytes of a range chunk by chunk; the next chunk is read while one is worked on. */
async function eachChunk(source: ByteSource, { start, length }: { start: number; length: number }, take: (chunk: Buffer) => void) {
  const pause = createSlices();
  const readAt = (buffer: Buffer, done: number): Promise<number> =>
    done < length ? source.read(buffer.subarray(0, Math.min(CHUNK, length - done)), start + done) : Promise.resolve(0);
  let [current, next] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
  let size = await readAt(current, 0);
  for (let done = size; size > 0; done += size) {
    const reading = readAt(next, done);
    // A failure is met where it is awaited, also when the work on this chunk fails first.
    reading.catch(() => undefined);
    take(current.subarray(0, size));
    await pause();
    size = await reading;
    [current, next] = [next, current];
  }
}
