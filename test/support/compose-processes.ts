import { randomInt } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import process from "node:process";
import { inject } from "vitest";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type ComposeService, mountsOf, readCompose } from "./compose.ts";

/** The services of the compose file as processes: the same commands, files and ports, each service on a loopback address of its own. */
export interface ComposeProcesses {
  /** The loopback address in the place of a service's name. */
  address(service: string): string;
  /** Starts a service, in the place of the one that runs, as `docker compose up` would with these variables. */
  up(service: string, env?: Readonly<Record<string, string>>): Promise<void>;
  /** Runs the service `serin` to its end, as `docker compose run --rm serin` would. */
  serin(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  /** What has ended though nobody stopped it, with what it said last. */
  ended(): string[];
  stop(): Promise<void>;
}

/** Prepares them; none runs yet. Needs all of 127.0.0.0/8 to be loopback, as on Linux. */
export function composeProcesses(): ComposeProcesses {
  const directory = mkdtempSync(join(tmpdir(), "serin-compose-"));
  const names = Object.keys(readCompose().services);
  // Others may run the same at the same time.
  const network = `127.${randomInt(64, 128)}.${randomInt(256)}`;
  const addresses = new Map(names.map((name, index) => [name, `${network}.${index + 1}`]));
  const address = (name: string): string => addresses.get(name) ?? "";
  const running = new Map<string, RunningProcess>();
  const hosts = new RegExp(`\\b(${names.join("|")})(?=:\\d)|(?<=address: )(${names.join("|")})\\b`, "g");
  const localised = (own: string, text: string): string =>
    text.replaceAll("0.0.0.0", address(own)).replaceAll(hosts, (name: string) => address(name));

  const launch = async (name: string, env: Readonly<Record<string, string>>, more: readonly string[]): Promise<RunningProcess> => {
    const service = readCompose(env).services[name];
    if (service === undefined) throw new Error(`the compose file has no service ${name}`);
    const paths = mountAll(service, join(directory, name), (text) => localised(name, text));
    const places = new RegExp(`(?<![\\w./-])(${[...paths.keys()].join("|")})(?=/|$)`, "g");
    const onHost = (text: string): string =>
      localised(
        name,
        text.replaceAll(places, (path) => paths.get(path) ?? path),
      );
    const [program, args] = commandOf(service);
    return startProcess({
      name,
      program,
      args: [...args.map(onHost), ...more],
      cwd: onHost(service.working_dir ?? directory),
      env: { PATH: process.env["PATH"] ?? "", ...mapped(service.environment, onHost) },
    });
  };
  return {
    address,
    async up(name, env = {}) {
      await running.get(name)?.stop();
      running.set(name, await launch(name, env, []));
    },
    async serin(...args) {
      const one = await launch("serin", {}, args);
      const { code } = await one.ended;
      return { code, output: one.output() };
    },
    ended: () => [...running.values()].filter((one) => !one.isRunning()).map((one) => `${one.name}: ${one.output()}`),
    async stop() {
      await Promise.all([...running.values()].map((one) => one.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Path in the container → path here. Files of YAML get other addresses, named volumes are folders, and folders of the checkout are used as they are. */
function mountAll(service: ComposeService, folder: string, localised: (text: string) => string): ReadonlyMap<string, string> {
  const places = mountsOf(service).map(({ container, host }) => {
    if (host !== undefined && statSync(host).isDirectory()) return [container, host] as const;
    const here = join(folder, container);
    mkdirSync(host === undefined ? here : dirname(here), { recursive: true });
    if (host !== undefined && extname(host) === ".yaml") writeFileSync(here, localised(readFileSync(host, "utf8")));
    else if (host !== undefined) copyFileSync(host, here);
    return [container, here] as const;
  });
  return new Map(places);
}

/** Program and arguments of a service, as its image would start them. */
function commandOf({ image, entrypoint, command }: ComposeService): [program: string, args: readonly string[]] {
  switch (image.slice(0, image.indexOf(":"))) {
    case "serin":
      return [process.execPath, [...(entrypoint?.slice(1) ?? [join(packageRoot(), "dist", "bin", "serin.js")]), ...command]];
    case "envoyproxy/envoy":
      return [inject("envoyProgram"), command.slice(1)];
    case "nats":
      return [inject("natsServerProgram"), command];
    case "prom/prometheus":
      return [inject("prometheusProgram"), command];
    default:
      throw new Error(`nothing here runs the image ${image}`);
  }
}

const mapped = (record: Readonly<Record<string, string>>, by: (text: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, by(value)]));
