import { NoLeaderError } from "../contract/errors.ts";
import { connectNats, type NatsLink } from "../io/nats.ts";

/** Connects for one command and closes after it. Throws NoLeaderError when NATS does not answer. */
export async function withNats<Result>(url: string, work: (link: NatsLink) => Promise<Result>): Promise<Result> {
  let link: NatsLink;
  try {
    link = await connectNats({ url, name: "serin", waitForServer: false });
  } catch (cause) {
    throw new NoLeaderError(`NATS does not answer at ${url}; start it, or name another by --nats or SERIN_NATS`, { cause });
  }
  try {
    return await work(link);
  } finally {
    await link.close();
  }
}
