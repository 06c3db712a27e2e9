import { type HeardOrder, ReceiptSchema } from "../contract/messages.ts";
import { SUBJECTS } from "../contract/names.ts";
import { type NatsLink, subscribeSafely } from "../io/nats.ts";
import { decodeStored, readFleet } from "../io/store.ts";

/** Which of the known sidecars obey an order; each list is sorted by id. */
export interface Confirmations {
  readonly obeyed: readonly string[];
  readonly refused: readonly { readonly id: string; readonly problem: string }[];
  /** Known, and they said nothing of it. */
  readonly silent: readonly string[];
}

/** Sidecars tell as soon as they hear an order. */
const WAIT_MS = 2_000;

/** Gives an order and waits until every known sidecar has told whether it obeys, 2 s at most. Needs no controller. */
export async function confirmed(link: NatsLink, give: () => Promise<string>): Promise<Confirmations> {
  const said = new Map<string, readonly HeardOrder[]>();
  let look: () => void = () => undefined;
  const hear = ({ subject, data }: { subject: string; data: Uint8Array }): void => {
    const { sidecar, state, orders = [] } = decodeStored(ReceiptSchema, { subject, sequence: 0, data });
    if (state === "goodbye") said.delete(sidecar);
    else said.set(sidecar, orders);
    look();
  };
  // A receipt that cannot be read confirms nothing.
  const stop = subscribeSafely(link, SUBJECTS.allReceipts, hear, () => undefined);
  try {
    // Where no controller ever ran, nobody wrote down who there is: those count that are heard.
    const known = Object.keys((await readFleet(link))?.sidecars ?? {});
    const id = await give();
    const find = (): Confirmations => standing(new Set([...known, ...said.keys()]), said, id);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS);
      look = () => {
        if (known.length === 0 || find().silent.length > 0) return;
        clearTimeout(timer);
        resolve();
      };
      look();
    });
    return find();
  } finally {
    stop();
  }
}

function standing(ids: ReadonlySet<string>, said: ReadonlyMap<string, readonly HeardOrder[]>, order: string): Confirmations {
  const words = [...ids].toSorted().map((id) => ({ id, word: said.get(id)?.find((heard) => heard.id === order) }));
  return {
    obeyed: words.flatMap(({ id, word }) => (word?.isObeyed === true ? [id] : [])),
    refused: words.flatMap(({ id, word }) => (word?.isObeyed === false ? [{ id, problem: word.problem ?? "it does not say why" }] : [])),
    silent: words.flatMap(({ id, word }) => (word === undefined ? [id] : [])),
  };
}

/** True when there are sidecars, and all of them obey. */
export const isObeyedByAll = ({ obeyed, refused, silent }: Confirmations): boolean =>
  obeyed.length > 0 && refused.length === 0 && silent.length === 0;

/** Who obeys, for people. */
export function confirmationText({ obeyed, refused, silent }: Confirmations): string {
  const all = obeyed.length + refused.length + silent.length;
  if (all === 0) return "sent; nobody has confirmed it: no sidecar is known or was heard, look at serin_kills of each sidecar's metrics";
  const count = `obeyed by ${obeyed.length} of ${all} ${all === 1 ? "sidecar" : "sidecars"}`;
  const others = [
    ...refused.map(({ id, problem }) => `${id} refuses the order: ${problem}`),
    ...(silent.length === 0
      ? []
      : [`${silent.join(", ")} did not answer within ${WAIT_MS / 1_000} s (\`serin forget ID\` if gone for good)`]),
  ];
  return [count, ...others].join("; ");
}
