/**
 * Time of one decision with 1 to 10,000 rollouts, without and with its metrics, and of the same rule in two other libraries, round by round in one run; and that all
 * decide alike: `npm run bench`.
 */
import { cpus } from "node:os";
import process from "node:process";
import { type CompiledRules, compile } from "../../src/core/decide/compile.ts";
import { decide } from "../../src/core/decide/decide.ts";
import { ruleOf, ruleSetOf } from "../support/decide-inputs.ts";
import { byOpenTelemetry, inCells } from "./decide/counted.ts";
import { agreement, asFlagd, asUnleash, benchRule } from "./decide/equal.ts";
import { flagd, type Peer, unleash } from "./decide/peers.ts";
import { benchRequests, factsOfBench } from "./decide/requests.ts";
import { median, note } from "./wire/bench.ts";

const ROUNDS = 21;
const CALLS = 20_000;
const REQUESTS = 1_000;
const COMPARED = 20_000;

const say = (line: string): unknown => process.stdout.write(`${line}\n`);

interface Subject {
  readonly name: string;
  /** Decides so many requests; answers how many went to the canary, so that nothing of it can be left out. */
  run(calls: number): number;
}

function ofList<Item>(name: string, items: readonly Item[], isCanary: (item: Item) => boolean): Subject {
  return {
    name,
    run(calls) {
      let canary = 0;
      for (let call = 0; call < calls; call += items.length) for (const item of items) if (isCanary(item)) canary += 1;
      return canary;
    },
  };
}

/** The rule, and other rollouts: each on a host of its own, or all below other paths of the same host. */
function rulesWith(others: number, where: "hosts" | "paths"): CompiledRules {
  const match = (index: number) =>
    where === "hosts"
      ? { hosts: [`h${index}.example`], paths: [{ prefix: "/" }] }
      : { hosts: ["shop.example"], paths: [{ prefix: `/p${index}` }] };
  const rest = Array.from({ length: others }, (_, index) => [`r${index}`, ruleOf({ match: match(index), salt: `r${index}` })] as const);
  return compile(ruleSetOf({ ...Object.fromEntries(rest), checkout: benchRule("checkout") }));
}

const facts = benchRequests(REQUESTS).map(factsOfBench);
const ours = (name: string, rules: CompiledRules): Subject => ofList(name, facts, (request) => decide(rules, request).variant === "canary");
const peerSubject = <Context>(peer: Peer<Context>): Subject =>
  ofList(peer.name, benchRequests(REQUESTS).map(peer.contextOf), peer.isCanary);

say(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}`);
const [flagdPeer, unleashPeer] = [flagd(), unleash()];
const [byFlagd, byUnleash] = [agreement(flagdPeer, COMPARED, asFlagd), agreement(unleashPeer, COMPARED, asUnleash)];
say(
  `alike with ${flagdPeer.name}: ${byFlagd.alike} of ${byFlagd.count} requests (${byFlagd.canary} to the canary), same keys, no salt in ours`,
);
say(
  `alike with ${unleashPeer.name}: ${byUnleash.alike} of ${byUnleash.count} requests (${byUnleash.canary} to the canary), ours given keys at the percent that its hash gives each user`,
);

const one = rulesWith(0, "hosts");
const counted = [...inCells(), byOpenTelemetry()].map(({ name, count }) =>
  ofList(name, facts, (request) => {
    const decision = decide(one, request);
    count(decision);
    return decision.variant === "canary";
  }),
);
const subjects = [
  ...[1, 100, 1_000, 10_000].map((count) => ours(`${count} rollouts, on other hosts`, rulesWith(count - 1, "hosts"))),
  ours("10000 rollouts, on other paths of the host", rulesWith(9_999, "paths")),
  ...counted,
  peerSubject(flagdPeer),
  peerSubject(unleashPeer),
];
for (const subject of subjects) subject.run(CALLS);
const times = new Map(subjects.map((subject) => [subject, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1) {
  note(`round ${round + 1} of ${ROUNDS}`);
  for (const [subject, list] of times) {
    // Time of the processor: what else the machine does must not count. Collecting garbage does.
    const begin = process.cpuUsage();
    subject.run(CALLS);
    const { user, system } = process.cpuUsage(begin);
    list.push(((user + system) * 1_000) / CALLS);
  }
}
const first = median([...times.values()][0] ?? []);
for (const [{ name }, list] of times) {
  const middle = median(list);
  say(
    `${name}: median ${middle.toFixed(0)} ns of processor time a decision, best round ${Math.min(...list).toFixed(0)} ns, ${(middle / first).toFixed(2)} times that of one rollout`,
  );
}
process.exitCode = byFlagd.alike === byFlagd.count && byUnleash.alike === byUnleash.count ? 0 : 1;
