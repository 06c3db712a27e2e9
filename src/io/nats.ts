import { setTimeout as delay } from "node:timers/promises";
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager, PersistMode } from "@nats-io/jetstream";
import { connect, errors, type Msg, type NatsConnection, RequestError } from "@nats-io/transport-node";
import { inboxPrefix, STREAMS, SUBJECTS } from "../contract/names.ts";
import { areUnmade, infoOf, isTooFewServers } from "./made-streams.ts";
import { type NatsAccess, needsTls, readLogin } from "./nats-access.ts";
import { authenticatorOf } from "./nats-login.ts";
import { createTroubles, type Troubles } from "./nats-trouble.ts";

/** Code of JetStream's refusal when the expected last sequence does not hold. */
export const WRONG_LAST_SEQUENCE = 10_071;

/** One connection with the options without which a client of 3.4 gives up, goes deaf or loses writes. */
export interface NatsLink {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly doubtsSilence: boolean;
  close(): Promise<void>;
}

export interface NatsOptions extends NatsAccess {
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** False for a command line that should fail instead of waiting for a server. */
  readonly waitForServer: boolean;
  /** Where nobody answers a read, ask whether the streams were ever made, as all but sidecars may; else there is nothing then. */
  readonly doubtsSilence?: boolean;
  /** Ends the wait for a server. */
  readonly signal?: AbortSignal;
  /** Hears what an operator must put right, like refused credentials, also later: each once, until there is a connection again. */
  readonly onTrouble?: (problem: string) => void;
}

/**
 * Connects; with `waitForServer` it keeps trying for ever, also after refused logins. Throws an AbortError when the signal
 * comes first.
 */
export async function connectNats(options: NatsOptions): Promise<NatsLink> {
  const troubles = createTroubles(options, options.onTrouble);
  for (;;) {
    try {
      const connection = await dial(options, troubles);
      if (options.signal?.aborted === true) await connection.close();
      options.signal?.throwIfAborted();
      troubles.over();
      if (options.onTrouble !== undefined) void followTroubles(connection, troubles);
      return {
        connection,
        jetstream: jetstream(connection, { timeout: 3_000 }),
        doubtsSilence: options.doubtsSilence === true,
        close: () => connection.close(),
      };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!options.waitForServer || error instanceof errors.InvalidArgumentError) throw error;
      troubles.tell(error);
    }
    // The client's own wait for a first server cannot be given up: it would keep a program alive that was told to stop.
    await delay(RETRY_MS + Math.random() * RETRY_JITTER_MS, undefined, options.signal && { signal: options.signal });
  }
}

const RETRY_MS = 500;
const RETRY_JITTER_MS = 2_000;

async function followTroubles(connection: NatsConnection, troubles: Troubles): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "error") troubles.tell(status.error);
    if (status.type === "reconnect") troubles.over();
  }
}

async function dial({ url, creds, ca, name, waitForServer }: NatsOptions, { tell }: Troubles): Promise<NatsConnection> {
  const login = creds === undefined ? undefined : readLogin(creds);
  return connect({
    servers: url.split(","),
    name,
    ...(creds !== undefined && login !== undefined && { authenticator: authenticatorOf(creds, login, tell) }),
    ...(needsTls({ url, ca }) && { tls: ca === undefined ? {} : { caFile: ca } }),
    maxReconnectAttempts: waitForServer ? -1 : 3,
    ignoreAuthErrorAbort: waitForServer,
    pingInterval: 10_000,
    maxPingOut: 2,
    reconnectTimeWait: waitForServer ? RETRY_MS : 100,
    reconnectJitter: waitForServer ? RETRY_JITTER_MS : 100,
    reconnectJitterTLS: waitForServer ? RETRY_JITTER_MS : 100,
    inboxPrefix: inboxPrefix(login?.user),
    noAsyncTraces: true,
    timeout: 3_000,
  });
}

/** A stored value with its sequence in the stream. */
export interface Stored {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/** The last value of a state subject by one direct get; undefined when there is none. Throws when the server does not answer. */
export const readState = (link: NatsLink, subject: string): Promise<Stored | undefined> => readLast(link, STREAMS.state, subject);

/** The last message of a subject in any stream by one direct get; undefined when there is none. Throws when the server does not answer. */
export const readLast = (link: NatsLink, stream: string, subject: string, timeoutMs = 3_000): Promise<Stored | undefined> =>
  directGet(link, { request: `${stream}.${subject}`, body: undefined, timeoutMs });

/** The message of a stream at a sequence, in the same way. */
export const readAt = (link: NatsLink, stream: string, sequence: number): Promise<Stored | undefined> =>
  directGet(link, { request: stream, body: JSON.stringify({ seq: sequence }), timeoutMs: 3_000 });

interface DirectGet {
  readonly request: string;
  readonly body: string | undefined;
  readonly timeoutMs: number;
}

async function directGet({ connection, doubtsSilence }: NatsLink, { request, body, timeoutMs }: DirectGet): Promise<Stored | undefined> {
  let reply: Msg;
  try {
    reply = await connection.request(`$JS.API.DIRECT.GET.${request}`, body, { timeout: timeoutMs });
  } catch (error) {
    // Before the first controller there is no stream, so nobody answers for it.
    if (error instanceof RequestError && error.isNoResponders() && (!doubtsSilence || (await areUnmade(connection)))) return undefined;
    throw error;
  }
  const { headers, data } = reply;
  const status = headers?.code ?? 0;
  if (status === 404) return undefined;
  if (status !== 0) throw new Error(`NATS refused to read ${request}: ${status} ${headers?.description ?? ""}`);
  return { subject: headers?.get("Nats-Subject") ?? "", sequence: Number(headers?.get("Nats-Sequence") ?? 0), data };
}

/** A message as a subscriber gets it. */
export interface Heard {
  readonly subject: string;
  readonly data: Uint8Array;
  /** A header's value; undefined where it is absent or empty. */
  header(name: string): string | undefined;
  respond(data: string): void;
}

/** Subscribes; a throwing handler goes to `onError` instead of deafening the whole connection. Returns the way to stop. */
export function subscribeSafely(
  { connection }: NatsLink,
  subject: string,
  handler: (message: Heard) => void,
  onError: (error: unknown) => void,
): () => void {
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      try {
        if (error !== null && error !== undefined) throw error;
        const header = (name: string): string | undefined => message.headers?.last(name) || undefined;
        handler({ subject: message.subject, data: message.data, header, respond: (data) => void message.respond(data) });
      } catch (cause) {
        onError(cause);
      }
    },
  });
  return () => subscription.unsubscribe();
}

/** On how many servers of a cluster each stream is kept. */
export interface Replication {
  readonly replicas: number;
  /** Hears of a stream that exists on fewer: it stays as its owner configured it. */
  onFewer(stream: string, has: number): void;
}

const ONE_SERVER: Replication = { replicas: 1, onFewer: () => undefined };

/** Creates Serin's streams where they are missing; existing ones stay as their owner configured them. Throws where NATS cannot keep so many replicas. */
export async function ensureStreams(link: NatsLink, replication = ONE_SERVER): Promise<JetStreamManager> {
  const manager = await jetstreamManager(link.connection, { timeout: 3_000 });
  const ensured = (config: StreamConfig): Promise<void> => ensure(manager, config, replication);
  const common = { deny_delete: true, deny_purge: false, allow_direct: true } as const;
  await ensured({ name: STREAMS.plans, subjects: [SUBJECTS.allPlans], max_msgs_per_subject: 64, ...common });
  await ensured({
    name: STREAMS.state,
    subjects: [SUBJECTS.allState],
    max_msgs_per_subject: 1,
    allow_msg_ttl: true,
    republish: { src: SUBJECTS.allState, dest: SUBJECTS.allPush },
    ...common,
  });
  await ensured({
    name: STREAMS.audit,
    subjects: [SUBJECTS.allAudit],
    duplicate_window: 600_000_000_000,
    max_age: 400 * 86_400_000_000_000,
    ...common,
  });
  await ensureKills(manager, replication);
  await ensured({
    name: STREAMS.presence,
    subjects: [SUBJECTS.allPresence],
    max_msgs_per_subject: 1,
    max_age: 30 * 86_400_000_000_000,
    allow_direct: true,
  });
  return manager;
}

/** The stream of operators' orders, which the command line makes as well where no controller ever ran. */
export const ensureKills = (manager: JetStreamManager, replication = ONE_SERVER): Promise<void> =>
  ensure(manager, { name: STREAMS.kills, subjects: [SUBJECTS.allKills], max_msgs_per_subject: 1, allow_direct: true }, replication);

/** The stream of judged batches: a week of them, the oldest given up where they are many. Judging does not need it, so one server keeps it. */
export const ensureTicks = (manager: JetStreamManager): Promise<void> =>
  ensure(manager, {
    name: STREAMS.ticks,
    subjects: [SUBJECTS.allTicks],
    max_age: 7 * 86_400_000_000_000,
    max_bytes: 256 * 1_024 * 1_024,
    // Written to disk by and by, so that a flood of ticks never keeps the disk from the writes that move traffic.
    persist_mode: PersistMode.Async,
    allow_direct: true,
  });

type StreamConfig = Parameters<JetStreamManager["streams"]["add"]>[0];

async function ensure(manager: JetStreamManager, config: StreamConfig, { replicas, onFewer } = ONE_SERVER): Promise<void> {
  const has = (await infoOf(manager, config.name))?.config.num_replicas;
  if (has !== undefined) {
    if (has < replicas) onFewer(config.name, has);
    return;
  }
  await manager.streams.add({ ...config, num_replicas: replicas }).catch((cause: unknown) => {
    if (replicas === 1 || !isTooFewServers(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const fix = "start as many in one cluster; where there will never be so many, say fewer by --nats-replicas";
    throw new Error(`NATS cannot keep ${config.name} on ${replicas} servers (${why}); ${fix}`, { cause });
  });
}
