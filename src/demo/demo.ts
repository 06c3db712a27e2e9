import process from "node:process";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { createLog } from "../io/log.ts";
import { connectNats } from "../io/nats.ts";
import { type ActResult, runAct } from "./act.ts";
import { createCpuMeter } from "./machine.ts";
import { type FoundProgram, findProgram, programCacheDir } from "./programs.ts";
import { startShareLog } from "./share-log.ts";
import { startStack } from "./stack.ts";
import type { ExpectedVariant } from "./tally.ts";
import { type SeenRequest, startTraffic } from "./traffic.ts";

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
}

const GOOD_HOST = "shop.example";
const BAD_HOST = "pay.example";
const USERS = 4_000;
const PER_SECOND = 700;
const LEAST_PER_SECOND = 450;
const MOST_CPU_PERCENT = 60;
const PACE_MS = 2_000;
const LEAST_REQUESTS = 52_000;

/** Shows a good canary going out and a bad one coming back, with real parts, and counts what users saw. */
export async function runDemo(options: DemoOptions): Promise<ExitCode> {
  const show = (line: string): void => (options.json ? options.error : options.out)(`${line}\n`);
  const find = { env: options.env, cacheDir: programCacheDir(), log: createLog({ name: "serin-demo", level: "info" }) };
  const envoy = await findProgram("envoy", find);
  const nats = await findProgram("nats-server", find);
  show(`Envoy ${envoy.version}, NATS ${nats.version}; starting two sidecars, a controller and two upstreams`);
  const result = await runActs(options, { envoy, nats }, show);
  const document = { format: 1, envoy: envoy.version, nats: nats.version, node: process.versions.node, ...result };
  for (const act of result.acts) show(summary(act));
  show(`${result.requests} requests, ${result.perSecond} a second, the machine ${result.cpuPercent} % busy`);
  if (options.json) options.out(`${JSON.stringify(document)}\n`);
  const [good, bad] = result.acts;
  return good?.outcome === "promoted" && bad?.outcome === "rolledBack" ? EXIT.done : EXIT.ourError;
}

interface DemoResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly cpuPercent: number;
  readonly acts: readonly ActResult[];
}

async function runActs(
  options: DemoOptions,
  programs: { envoy: FoundProgram; nats: FoundProgram },
  show: (line: string) => void,
): Promise<DemoResult> {
  const { serinBin, signal, expectedVariant } = options;
  const stack = await startStack({
    envoyProgram: programs.envoy.path,
    natsServerProgram: programs.nats.path,
    serinBin,
    env: options.env,
    sidecars: 2,
    controllers: 1,
  });
  const closers: (() => unknown)[] = [stack.stop];
  try {
    const link = await connectNats({ url: stack.nats.url, name: "serin-demo", waitForServer: false });
    closers.push(link.close);
    const shares = startShareLog(link, stack.sidecarIds, (error) => show(String(error)));
    closers.push(shares.stop);
    const acts: ActResult[] = [];
    const seenAt: Record<string, SeenRequest[]> = { [GOOD_HOST]: [], [BAD_HOST]: [] };
    const traffic = startTraffic({
      port: stack.envoy.port,
      host: GOOD_HOST,
      path: "/checkout",
      users: USERS,
      perSecond: PER_SECOND,
      onRequest: (request) => seenAt[request.host]?.push(request),
    });
    closers.push(traffic.stop);
    const pace = keepPace(traffic.setPace);
    closers.push(pace.stop);
    const startedMs = Date.now();
    const act = (script: Parameters<typeof runAct>[0]) =>
      runAct(script, { stack, link, shares, expected: expectedVariant, requests: seenAt[script.host] ?? [], signal, show });

    show("act 1: a good canary");
    acts.push(await act({ name: "good-canary", host: GOOD_HOST, leastRequests: 0 }));
    const handedOver = await stack.serin("handover", "good-canary");
    show(handedOver.out);
    traffic.setHost(BAD_HOST);
    if (!signal.aborted) {
      show("act 2: a canary that begins to fail");
      const fault = { atShareBp: 2_500, afterMs: 4_000, part: 0.5 };
      acts.push(await act({ name: "bad-canary", host: BAD_HOST, fault, leastRequests: LEAST_REQUESTS - (acts[0]?.requests ?? 0) }));
    }
    const all = acts.reduce((sum, one) => sum + one.requests, 0);
    return { requests: all, perSecond: Math.round((all * 1_000) / (Date.now() - startedMs)), cpuPercent: pace.average(), acts };
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

/** Slows the traffic where the machine is busier than it should be. */
function keepPace(setPace: (perSecond: number) => void): { stop(): void; average(): number } {
  const whole = createCpuMeter();
  const lately = createCpuMeter();
  let perSecond = PER_SECOND;
  const timer = setInterval(() => {
    const busy = lately();
    if (busy > MOST_CPU_PERCENT) perSecond = Math.max(LEAST_PER_SECOND, perSecond * 0.93);
    else if (busy < MOST_CPU_PERCENT - 10) perSecond = Math.min(PER_SECOND, perSecond * 1.03);
    setPace(perSecond);
  }, PACE_MS);
  return { stop: () => clearInterval(timer), average: () => Math.round(whole()) };
}

function summary(act: ActResult): string {
  const shares = act.stages
    .map(({ shareSet, shareSeen }) => `${shareSet / 100} % (seen ${shareSeen === null ? "–" : `${shareSeen / 100} %`})`)
    .join(" → ");
  const last = act.firstFailureToLastCanaryRequestMs;
  return [
    `${act.name}: ${act.outcome} after ${act.seconds} s; ${shares}`,
    `  ${act.requests} requests, ${act.failedRequests} failed, ${act.misrouted} misrouted, ${act.movedBack} users moved back, ${act.failedOpen} failed open`,
    ...(last === undefined ? [] : [`  ${last} ms from the first failure to the last request on the canary`]),
  ].join("\n");
}
