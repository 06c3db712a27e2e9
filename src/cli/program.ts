import { Command, Option } from "commander";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import { VERSION } from "../contract/version.ts";
import type { ApplyFlags } from "./apply.ts";
import { addCompletion } from "./completion-commands.ts";
import type { ExplainFlags } from "./explain.ts";
import {
  addNats,
  addNatsLogin,
  collect,
  collectClaim,
  collectHeader,
  collectLabel,
  collectShare,
  jsonOption,
  logLevelOption,
  mapOption,
  parseCount,
  parseDuration,
  parsePercent,
  parseRate,
  parseReplicas,
  parseTime,
  parseWorkers,
  signingOption,
} from "./flags.ts";
import { addFreeze } from "./freeze.ts";
import type { GetFlags } from "./get.ts";
import type { KillFlags } from "./kill.ts";
import type { Terminal } from "./live/frame.ts";
import type { CliParts } from "./parts.ts";
import type { ReplayFlags } from "./replay.ts";
import { report } from "./report.ts";
import type { RulesFlags } from "./rules.ts";
import type { ControllerFlags, SidecarFlags } from "./run-parts.ts";
import type { SimulateFlags } from "./simulate.ts";
import type { StatusFlags } from "./status.ts";
import { addTelling } from "./telling-commands.ts";
import { type Add, addVerbs } from "./verb-commands.ts";
import type { WatchFlags } from "./watch.ts";

/** Runs one command line, without the program's own name; prints errors and answers with the exit code. */
export async function runCli(args: readonly string[], parts: CliParts): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const program = buildProgram(parts, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return report(error, args.includes("--json"), parts);
  }
}

/**
 * The command line with all its verbs; `done` takes the exit code of the one that ran. Each loads its own code only when it runs:
 * all of it takes longer to load than most verbs take to answer.
 */
export function buildProgram(given: CliParts, done: (code: ExitCode) => void): Command {
  const terminal = (): Terminal | undefined => {
    const found = given.terminal();
    return found && { ...found, isColoured: found.isColoured && program.opts<{ color: boolean }>().color };
  };
  const parts: CliParts = { ...given, terminal };
  const program = new Command("serin")
    .description("Rolls a new version out to real users a little at a time, and takes it back before they notice.")
    .version(VERSION)
    .option("--no-color", "no colours, as by NO_COLOR=1")
    .exitOverride()
    .showHelpAfterError("`serin help` lists all commands")
    .configureOutput({ writeOut: parts.out, writeErr: parts.error });
  const command = (name: string, description: string): Command => program.command(name).description(description).addOption(jsonOption());
  const online: Add = (name, description) => addNats(command(name, description), parts);
  addRunners(command, parts, done);
  // Not for people: `sidecar --workers` starts it.
  program.command("sidecar-worker <id>", { hidden: true }).action(async () => done(await parts.runWorker()));

  addDocuments(command, online, parts, done);
  online("status [name]", "show how things stand; exit 3 when the named rollout is rolled back").action(
    async (name: string | undefined, flags: StatusFlags) => done(await (await import("./status.ts")).status(name, flags, parts)),
  );
  online("watch [name]", "follow changes; exit 0 when ended well, 3 when rolled back, 4 when the time is over")
    .addOption(program.createOption("--until <end>", "when to exit").choices(["promoted", "ended"]))
    .option("--timeout <duration>", "longest wait; no end when absent", parseDuration)
    .addOption(signingOption(parts.operatorKey))
    .action(async (name: string | undefined, flags: WatchFlags) => done(await (await import("./watch.ts")).watch(name, flags, parts)));
  addVerbs(online, parts, done);
  addFreeze(online, parts, done);
  online("kill [name]", "switch everyone, a rollout, one user of it or the users of a segment off by a signed order; needs no controller")
    .option("--all", "all rollouts")
    .option("--key <key>", "one user, by bucketing key")
    .option("--segment <segment>", "only who is in this segment; of all rollouts, or of the one that is named")
    .option("--lift", "take the order back")
    .option("--reason <text>", "kept with the order")
    .addOption(signingOption(parts.operatorKey))
    .action(async (name: string | undefined, flags: KillFlags) => done(await (await import("./kill.ts")).kill(name, flags, parts)));

  addTelling({ command, online, parts, done });
  addExplain(online, parts, done);
  addSimulate(command, parts, done);
  addReplay(online, parts, done);
  command("demo", "run a good and a bad canary on this machine").action(async (flags: { json?: boolean }) =>
    done(await parts.runDemo({ json: flags.json === true })),
  );
  command("version", "print the version").action((flags: { json?: boolean }) =>
    parts.out(flags.json === true ? `${JSON.stringify({ version: VERSION })}\n` : `${VERSION}\n`),
  );
  addCompletion(program, parts, done);
  for (const verb of program.commands) verb.showHelpAfterError(`\`serin help ${verb.name()}\` tells what it takes`);
  return program;
}

function addExplain(online: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  online("explain", "tell which variant a request gets, and why")
    .requiredOption("--host <host>", "host of the request")
    .requiredOption("--path <path>", "path of the request")
    .option("--method <method>", "method of the request", "GET")
    .addOption(mapOption("--header <name=value>", "a header; may be repeated", collectHeader))
    .addOption(mapOption("--claim <name=value>", "a claim of a verified token, a.b for b in a; may be repeated", collectClaim))
    .option("--address <address>", "address of the client")
    .option("--label <name=value>", "a label of the sidecar that is asked, like zone=a; may be repeated", collectLabel)
    .option("--trusted-peer", "the client is one that the sidecar trusts by --trust-peer")
    .option("--rules <file>", "a rule set as `serin rules` prints it; else the one in NATS")
    .option("--cookie-key <file>", "keys that sign issued cookies, as sidecars have them")
    .option("--operator-keys <file>", "public keys of operators, as sidecars have them; without it orders to switch off are taken as given")
    .action(async (flags: ExplainFlags) => done(await (await import("./explain.ts")).explainRequest(flags, parts)));
}

function addReplay(online: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  online("replay [name]", "take recorded measurements through judge and plan, and print a JSON line for each")
    .option(
      "-f, --file <file>",
      "file of the rollout, whose ticks come by stdin; without it those in NATS are judged again: exit 3 when one differs",
    )
    .option("--prometheus <url>", "with -f: ticks out of what this Prometheus scraped of sidecars, from --from to --to")
    .option("--from <time>", "like 2026-03-10T09:00:00Z, or Unix seconds", parseTime)
    .option("--to <time>", "the end; the same form", parseTime)
    .option(
      "--step <duration>",
      "length of a tick out of Prometheus, no shorter than the time between its scrapes; 5s when absent",
      parseDuration,
    )
    .option("--attempt <run>", "first run of the attempt, of the ticks in NATS; the newest when absent", parseCount)
    .action(async (name: string | undefined, flags: ReplayFlags) => done(await (await import("./replay.ts")).replay(name, flags, parts)));
}

function addSimulate(command: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  command("simulate [name]", "tell what a plan would do to users: how long a good canary takes, and whom a fault would harm")
    .requiredOption("-f, --file <file>", "file of the rollout; [name] where it holds several")
    .requiredOption("--rps <number>", "requests a second of the service", parseRate)
    .addOption(
      new Option("--fault <fault>", '"errors 0.5%->2%", "latency +30%", "latency x2" or "dead", with " from 10m" if late; may be repeated')
        .argParser(collect)
        .default([], "none"),
    )
    .option("--runs <count>", "rollouts of each case", parseCount, 200)
    .option("--per-user <count>", "requests that one user makes while a fault lasts", parseCount, 10)
    .addOption(
      new Option("--errors <percentage>", "failed requests of stable, where the fault names none")
        .argParser(parsePercent)
        .default(0.001, "0.1%"),
    )
    .addOption(new Option("--latency <duration>", "median time of a request").argParser(parseDuration).default(80, "80ms"))
    .option("--seed <count>", "another one is another draw of chance", parseCount, 1)
    .action(async (name: string | undefined, flags: SimulateFlags) =>
      done(await (await import("./simulate.ts")).simulate(name, flags, parts)),
    );
}

function addRunners(command: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  addNatsLogin(command("sidecar", "run a sidecar beside Envoy"), parts)
    .requiredOption("--ext-proc <address>", "where Envoy's ext_proc connects: unix:PATH or HOST:PORT")
    .option("--als <address>", "where Envoy's access log connects; the ext_proc address when absent")
    .option("--metrics <host:port>", "metrics, /healthz and /readyz; 127.0.0.1:9464 when absent")
    .option("--nats <url>", "NATS server, several by comma (SERIN_NATS)")
    .option("--rules <file>", "a rule set as `serin rules` prints it, instead of NATS")
    .option("--id <id>", "name of this sidecar; from host and address when absent")
    .option("--state-dir <directory>", "where the last good rules are kept")
    .option("--operator-keys <file>", "public keys of operators whose orders to switch off are obeyed")
    .option("--stale-after <duration>", "age of the beat that is called stale; 5s when absent", parseDuration)
    .option("--unwatched-after <duration>", "age of the beat that sends shares home; 30s when absent", parseDuration)
    .option("--drain <duration>", "time to serve on after the signal to stop; 2500ms when absent", parseDuration)
    .option("--trust-peer <peer>", "a peer whose baggage is believed: CIDR, or URI of its certificate; may be repeated", collect)
    .option(
      "--label <name=value>",
      "a label of this sidecar, like zone=a, by which rollouts may go in groups; may be repeated",
      collectLabel,
    )
    .option("--workers <count>", "processes, each with a socket of its own and one set of metrics; 1 when absent", parseWorkers)
    .option("--cookie-key <file>", "keys that sign issued cookies, a line each, the same for all sidecars")
    .option("--debug-secret <file>", "secrets, a line each; a request with one in serin-debug is explained in its answer")
    .addOption(logLevelOption())
    .action(async (flags: SidecarFlags) => done(await (await import("./run-parts.ts")).runSidecar(flags, parts)));
  addNats(command("controller", "run a controller; one leads, others stand by"), parts)
    .option("--nats-replicas <count>", "servers of a NATS cluster that keep each stream: 1, 3 or 5 (SERIN_NATS_REPLICAS)", parseReplicas)
    .option("--id <id>", "name of this controller")
    .option("--operator-keys <file>", "public keys of operators, so that a rollout that they switch off is rolled back")
    .option("--checks-prometheus <url>", "server that queries of rollouts' own checks go to, where these name no other")
    .option("--check-secrets <folder>", "secrets of rollouts' own checks, a file each")
    .option("--feedback-token-file <file>", "tokens, one a line, of those who may send feedback to /v1/feedback of --http")
    .option("--http <host:port>", "metrics, /healthz, /readyz and the HTTP API; a port alone is one of 127.0.0.1; none when absent")
    .option("--tokens <file>", "who may use the HTTP API and vouch for commands, as `serin token` prints lines")
    .option("--notify-secrets <folder>", "secrets of notifications, a file each")
    .option("--public-url <url>", "where people reach the HTTP API; messages link there")
    .option(
      "--kubernetes [where]",
      "let rollouts wait for endpoints of their Services, and write Events; at an address or as a kubeconfig says; when neither is given, in the cluster that this is a pod of, else where kubectl goes",
    )
    .option("--kubernetes-context <name>", "context of the kubeconfig; the current one when absent")
    .option("--prometheus <url>", "judge by what this Prometheus scrapes of the sidecars, in place of the counts that they send")
    .option("--prometheus-every <duration>", "how often it is asked, as often as it scrapes; 5s when absent", parseDuration)
    .option("--renew <duration>", "how often the lease is renewed; 1s when absent", parseDuration)
    .option("--lease <duration>", "how long a lease holds that is not renewed; 4s when absent", parseDuration)
    .addOption(logLevelOption())
    .action(async (flags: ControllerFlags) => done(await (await import("./run-parts.ts")).runController(flags, parts)));
}

function addDocuments(command: Add, online: Add, parts: CliParts, done: (code: ExitCode) => void): void {
  command("rules", "print the rule set that `sidecar --rules` reads")
    .requiredOption("-f, --file <file>", "file of rollouts and segments; may be repeated", collect)
    .addOption(mapOption("--share <name=share>", "share of a rollout, 0% when absent", collectShare))
    .action(async (flags: RulesFlags) => done(await (await import("./rules.ts")).rules(flags, parts)));
  online("apply", "check files and hand what they hold to the controller: rollouts, segments, the policy")
    .requiredOption("-f, --file <file>", "file of rollouts, segments and the policy; may be repeated", collect)
    .option("--wait", "wait until promoted or rolled back")
    .option("--timeout <duration>", "longest wait; no end when absent", parseDuration)
    .option("--dry-run", "only check; needs no controller")
    .option("--reason <text>", "kept in the audit")
    .action(async (flags: ApplyFlags) => done(await (await import("./apply.ts")).apply(flags, parts)));
  online(
    "get [name] [segment]",
    "print a plan, or list all rollouts; `get policy` prints the policy, `get segment NAME` tells of a segment",
  ).action(async (name: string | undefined, segment: string | undefined, flags: GetFlags) =>
    done(await (await import("./get.ts")).get([name, segment], flags, parts)),
  );
}
