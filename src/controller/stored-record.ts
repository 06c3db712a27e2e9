import type * as z from "zod";
import { CorruptValueError, decodeStored } from "../io/store.ts";
import type { TermParts } from "./ports.ts";

interface RecordPlace<Kept> {
  readonly subject: string;
  readonly schema: z.ZodType<Kept>;
  readonly rollout: string;
  /** What is counted there, for the log. */
  readonly what: string;
}

/** What a leader before kept of a rollout. What cannot be read is said once and begun anew; a record must not keep a leader from leading. */
export async function readRecord<Kept>(
  { state, log }: Pick<TermParts, "state" | "log">,
  { subject, schema, rollout, what }: RecordPlace<Kept>,
): Promise<Kept | undefined> {
  const stored = await state.read(subject);
  if (stored === undefined) return undefined;
  try {
    return decodeStored(schema, stored);
  } catch (error) {
    if (!(error instanceof CorruptValueError)) throw error;
    log.error({ err: error, rollout }, `record of ${what} unreadable, counting anew`);
    return undefined;
  }
}
