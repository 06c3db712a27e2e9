/** The header in which facts travel from hop to hop (W3C Baggage). */
export const BAGGAGE = "baggage";
/** Keys of our members. */
const PREFIX = "serin.";
/** What every platform must hand on (W3C Baggage, 3.3.2 Limits); more may be lost on the way. */
const MAX_BYTES = 8_192;
const MAX_MEMBERS = 64;

interface Member {
  readonly key: string;
  /** As it came, properties included. */
  readonly text: string;
}

/** Members of all headers of that name in their order. */
const membersOf = (headers: readonly string[]): Member[] =>
  headers
    .flatMap((header) => header.split(","))
    .map((part) => part.trim())
    .filter((text) => text !== "")
    .map((text) => ({ text, key: text.split(/[=;]/, 1).join().trimEnd() }));

/** Whether a request's baggage may hold a member of ours: quick, and never wrong with no. */
const mayHoldCohort = (headers: readonly string[]): boolean => headers.some((header) => header.includes(PREFIX));

/** The variant that some hop before decided for a rollout; of several the last counts, as it was added last. */
export function cohortIn(headers: readonly string[], rollout: string): string | undefined {
  if (!mayHoldCohort(headers)) return undefined;
  const found = membersOf(headers).findLast(({ key }) => key === PREFIX + rollout);
  const value = found === undefined ? undefined : /=([^;]*)/.exec(found.text)?.[1];
  return value === undefined ? undefined : decoded(value.trim());
}

/** As the standard has values encoded; what is badly encoded is no variant's name. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The member that tells a rollout's variant. Names of rollouts and variants need no encoding. */
export const cohortMember = (rollout: string, variant: string): string => `${PREFIX}${rollout}=${variant}`;

/** What becomes of the header. */
export interface NewBaggage {
  /** Its new value, "" for no header at all; undefined where it stays as it is. */
  readonly value: string | undefined;
  /** True where our own member found no room. */
  readonly isFull: boolean;
}

/**
 * The baggage that goes on to the upstream: members of others stay, our own takes the place of an older one, and from a peer that
 * is not trusted no member of ours goes on. Where there is no room nothing is added; what must be taken out and is too long after
 * that goes as a whole.
 */
export function baggageAfter(headers: readonly string[], member: string | undefined, isTrusted: () => boolean): NewBaggage {
  const before = membersOf(headers);
  const isForged = mayHoldCohort(headers) && !isTrusted();
  const own = member?.split("=", 1).join();
  const kept = before.filter(({ key }) => key !== own && !(isForged && key.startsWith(PREFIX))).map(({ text }) => text);
  if (member !== undefined && fits([...kept, member])) return { value: [...kept, member].join(","), isFull: false };
  const isFull = member !== undefined;
  if (kept.length === before.length) return { value: undefined, isFull };
  return { value: fits(kept) ? kept.join(",") : "", isFull };
}

const fits = (members: readonly string[]): boolean =>
  members.length <= MAX_MEMBERS && new TextEncoder().encode(members.join(",")).length <= MAX_BYTES;
