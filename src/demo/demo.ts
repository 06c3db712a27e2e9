import process from "node:process";
import { SerinError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { createLog } from "../io/log.ts";
import { connectNats, type NatsLink } from "../io/nats.ts";
import { readLive } from "../io/store.ts";
import { type PlayedAct, runAct, type Script } from "./act.ts";
import { type ActResult, resultOf, summaryOf } from "./act-result.ts";
import { FAILED_OPEN_STAT, type RunningEnvoy } from "./envoy.ts";
import { keepPace, PACE } from "./pace.ts";
import { type FoundProgram, findProgram, programCacheDir } from "./programs.ts";
import { NEW_VERSION } from "./rollouts.ts";
import { createScreen, type Screen } from "./screen.ts";
import { createShareLog, followShares } from "./share-log.ts";
import { type Stack, startStack } from "./stack.ts";
import { stopAll } from "./stop-all.ts";
import type { ExpectedVariant } from "./tally.ts";
import { type SeenRequest, startTraffic } from "./traffic.ts";
import { waitFor } from "./wait-for.ts";

export interface DemoOptions {
  /** One JSON document as the last line of stdout, everything else on stderr. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** The built command line. */
  readonly serinBin: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly expectedVariant: ExpectedVariant;
  out(text: string): void;
  error(text: string): void;
  /** Width of the terminal on stderr; undefined where it is none. */
  columns(): number | undefined;
}

const GOOD_HOST = "shop.example";
const BAD_HOST = "pay.example";
const USERS = 4_000;
const LEAST_REQUESTS = 52_000;
/** Two answers in a row are needed, a second apart. */
const HAND_OVER_MS = 20_000;
const GOOD: Script = { title: "act 1, a good canary", name: "good-canary", host: GOOD_HOST, leastRequests: 0 };
const BAD = {
  title: "act 2, a canary that begins to fail",
  name: "bad-canary",
  host: BAD_HOST,
  fault: { atShareBp: 2_500, afterMs: 4_000, part: 0.5 },
} as const;

/** Shows a good canary going out and a bad one coming back, with real parts, and counts what users saw. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const startedMs = Date.now();
  const screen = createScreen({ write: options.error, columns: options.columns });
  const find = { env: options.env, cacheDir: programCacheDir(options.env), log: createLog({ name: "serin-demo", level: "info" }) };
  const envoy = await findProgram("envoy", find);
  const nats = await findProgram("nats-server", find);
  screen.say(`Envoy ${envoy.version}, NATS ${nats.version}; starting two sidecars, a controller and the upstreams`);
  let played: Played;
  try {
    played = await playActs(options, { envoy, nats }, screen);
  } catch (cause) {
    if (options.signal.aborted) throw new SerinError("STOPPED", EXIT.ourError, "stopped before the end; everything is stopped", { cause });
    throw cause;
  }
  // Counting takes seconds of a core: it waits until no user does.
  const acts = played.acts.map((act) => resultOf(act, options.expectedVariant));
  const requests = acts.reduce((sum, act) => sum + act.requests, 0);
  const seconds = Math.round((Date.now() - startedMs) / 100) / 10;
  const result = { requests, seconds, cpuPercent: Math.round(played.busyPercent), acts };
  if (options.json)
    options.out(`${JSON.stringify({ format: 1, envoy: envoy.version, nats: nats.version, node: process.versions.node, ...result })}\n`);
  else options.out(`${summary(result)}\n`);
  const [good, bad] = acts;
  return good?.outcome === "promoted" && good.handedOverSeconds !== undefined && bad?.outcome === "rolledBack" ? EXIT.done : EXIT.ourError;
}

interface Played {
  readonly acts: readonly PlayedAct[];
  readonly busyPercent: number;
}

async function playActs(
  options: DemoOptions,
  programs: { readonly envoy: FoundProgram; readonly nats: FoundProgram },
  screen: Screen,
): Promise<Played> {
  const { serinBin, signal, env } = options;
  const stack = await startStack({
    envoyProgram: programs.envoy.path,
    natsServerProgram: programs.nats.path,
    serinBin,
    env,
    sidecars: 2,
    controllers: 1,
    signal,
  });
  const stops: (() => unknown)[] = [stack.stop];
  try {
    return await play({ stack, screen, signal }, stops);
  } finally {
    screen.say("stopping everything");
    await stopAll(stops);
  }
}

async function play(
  { stack, screen, signal }: { readonly stack: Stack; readonly screen: Screen; readonly signal: AbortSignal },
  stops: (() => unknown)[],
): Promise<Played> {
  const link = await connectNats({ url: stack.nats.url, name: "serin-demo", waitForServer: false });
  stops.push(link.close);
  const shares = createShareLog(stack.sidecarIds);
  stops.push(followShares(link, shares, (error) => screen.say(String(error))));
  const seen: Readonly<Record<string, SeenRequest[]>> = { [GOOD_HOST]: [], [BAD_HOST]: [] };
  const traffic = startTraffic({
    port: stack.envoy.port,
    host: GOOD_HOST,
    path: "/checkout",
    users: USERS,
    perSecond: PACE.first,
    onRequest: (request) => seen[request.host]?.push(request),
  });
  stops.push(traffic.stop);
  const pace = keepPace(traffic);
  stops.push(pace.stop);
  const failedOpen = createFailedOpenCounter(stack.envoy);
  const act = (script: Script): Promise<PlayedAct> =>
    runAct(script, { ...pace, stack, link, shares, traffic, failedOpen, screen, signal, requests: seen[script.host] ?? [] });

  const good = await act(GOOD);
  // Nobody asks the first host any more when its rule goes.
  traffic.setHost(BAD_HOST);
  const handedOverSeconds = good.outcome === "promoted" ? await handOver(stack, link, screen) : undefined;
  const bad = await act({ ...BAD, leastRequests: LEAST_REQUESTS - good.requests.length });
  return { acts: [{ ...good, ...(handedOverSeconds !== undefined && { handedOverSeconds }) }, bad], busyPercent: pace.busyPercent() };
}

/** Gives stable's own cluster the new version, and waits until Serin has seen it; in seconds, undefined where it does not. */
async function handOver({ stable, serin }: Stack, link: NatsLink, screen: Screen): Promise<number | undefined> {
  screen.say("the new version is deployed to stable's own cluster; Serin asks stable what it runs");
  stable.deploy(NEW_VERSION);
  const fromMs = Date.now();
  const isOver = async (): Promise<true | undefined> => (await readLive(link, GOOD.name))?.plan.phase === "handedOver" || undefined;
  try {
    await waitFor(isOver, { deadlineMs: HAND_OVER_MS, what: `the hand-over of ${GOOD.name}` });
  } catch (error) {
    screen.say(`${String(error)}\n${(await serin("status", GOOD.name)).out}`);
    return undefined;
  }
  const seconds = Math.round((Date.now() - fromMs) / 100) / 10;
  screen.say(`${GOOD.name} is handed over: stable shows the new version`);
  return seconds;
}

/** Requests that Envoy let go on undecided since the last call, by its own count. */
function createFailedOpenCounter(envoy: Pick<RunningEnvoy, "stat">): () => Promise<number> {
  let before = 0;
  return async () => {
    const now = await envoy.stat(FAILED_OPEN_STAT);
    const since = now - before;
    before = now;
    return since;
  };
}

interface Counted {
  readonly requests: number;
  readonly seconds: number;
  readonly cpuPercent: number;
  readonly acts: readonly ActResult[];
}

const summary = ({ requests, seconds, cpuPercent, acts }: Counted): string =>
  [...acts.map(summaryOf), `${requests} requests in ${seconds} s; the machine was ${cpuPercent} % busy`].join("\n");
