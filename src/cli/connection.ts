import { NoLeaderError, NotAllowedError, SerinError, UsageError } from "../contract/errors.ts";
import { isUnanswered } from "../io/made-streams.ts";
import { connectNats, type NatsLink } from "../io/nats.ts";
import { type NatsFlags, natsAccess } from "../io/nats-access.ts";
import { troubleOf } from "../io/nats-trouble.ts";

/**
 * Connects for one command and closes after it. Throws NoLeaderError when NATS, its JetStream or what keeps the streams does not answer, UsageError when it refuses who this is,
 * and NotAllowedError when it does not allow what the command does.
 */
export async function withNats<Result>(flags: NatsFlags, work: (link: NatsLink) => Promise<Result>): Promise<Result> {
  const access = natsAccess(flags);
  let link: NatsLink;
  try {
    link = await connectNats({ ...access, name: "serin", waitForServer: false, doubtsSilence: true });
  } catch (cause) {
    const trouble = troubleOf(cause, access);
    if (trouble !== undefined) throw new UsageError(trouble, { cause });
    throw new NoLeaderError(`NATS does not answer at ${access.url}; start it, or name another by --nats or SERIN_NATS`, { cause });
  }
  try {
    return await work(link);
  } catch (error) {
    if (error instanceof SerinError) throw error;
    if (error instanceof Error && error.name === "JetStreamNotEnabled")
      throw new NoLeaderError(
        `JetStream does not answer in NATS at ${access.url}; start NATS with it, as by deploy/nats-server.conf or --jetstream`,
        {
          cause: error,
        },
      );
    const trouble = troubleOf(error, access);
    if (trouble !== undefined) throw new NotAllowedError(trouble, { cause: error });
    if (!isUnanswered(error)) throw error;
    const fix = "start those of its servers that keep it, or a controller where a stream of it was never made or is deleted";
    throw new NoLeaderError(`NATS answers at ${access.url}, but not for what Serin keeps in it; ${fix}`, { cause: error });
  } finally {
    await link.close();
  }
}
