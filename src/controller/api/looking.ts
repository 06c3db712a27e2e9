import { type AskedRequest, AskedRequestSchema } from "../../contract/explanation.ts";
import { SUBJECTS } from "../../contract/names.ts";
import { SeriesSchema } from "../../contract/stream.ts";
import type { RequestFacts } from "../../core/decide/types.ts";
import { askLeader } from "../../io/ask-leader.ts";
import { decodeStored } from "../../io/store.ts";
import { explanationOf, rulesInNats } from "../../told/explanation.ts";
import { sendEvents } from "../stream/reader.ts";
import { ok, ProblemError } from "./answers.ts";
import type { Operation } from "./operation.ts";

const LEADER_MS = 3_000;
const MOST_READERS = 64;

/** Everything, and then what changes. */
export const events: Operation = async ({ token }, { feed, id, counts }) => {
  if (token === undefined) throw new TypeError("events need a token");
  if (feed.readers >= MOST_READERS)
    throw new ProblemError(503, `${MOST_READERS} readers look already; try again, or ask another controller`, {
      headers: { "retry-after": "5" },
    });
  const { name, role } = token;
  const hello = { type: "hello", name, role, controller: id } as const;
  return { stream: (response) => sendEvents(response, { feed, hello, mayGoOn: () => counts(token) }) };
};

/** How the checks of a rollout went, as the leader remembers. */
export const series: Operation = async ({ parts: { name = "" } }, { link }) => {
  const data = await askLeader(link, SUBJECTS.series, name, { timeout: LEADER_MS });
  return ok(decodeStored(SeriesSchema, { subject: SUBJECTS.series, sequence: 0, data }));
};

/** Which variant a request would get, by the rules in force. */
export const explain: Operation = async ({ body }, { link, operatorKeys }) => {
  const rules = await rulesInNats(link, operatorKeys.size === 0 ? undefined : operatorKeys);
  if (rules === undefined) throw new ProblemError(404, "no rules stand in NATS yet; apply a rollout first");
  return ok(explanationOf(rules, factsOf(AskedRequestSchema.parse(body))));
};

function factsOf({ host, path, method = "GET", headers = {}, address }: AskedRequest): RequestFacts {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  values.set(":method", [method]);
  return { host, path, method, headers: (name) => values.get(name) ?? [], clientAddress: address };
}
