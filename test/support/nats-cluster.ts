import { copyFile } from "node:fs/promises";
import { stopAll } from "../../src/demo/stop-all.ts";
import { issueCertificates } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { argsOf, type NatsFolder, natsFolder, routesScript, secretsScript } from "./nats-roles.ts";
import { type NatsServer, startNatsServer } from "./nats-server.ts";

/** Three NATS servers as docs/hosts.md says, with users for roles, and certificates for clients and for each other. */
export interface NatsCluster extends Pick<NatsFolder, "creds" | "violations" | "directory"> {
  /** All three, by comma. */
  readonly url: string;
  /** File of the authority of their certificates. */
  readonly ca: string;
  /** By name. */
  readonly servers: ReadonlyMap<string, NatsServer>;
  stop(): Promise<void>;
}

/** The page's names of hosts, all of which are this one here. */
const HOST = /nats-(\d)\.example:6222/g;
const NAMES = ["nats-1", "nats-2", "nats-3"];

/** Starts them with the folder as shipped, but for addresses and for the comment signs before `tls`. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const folder = await natsFolder(secretsScript(), routesScript());
  const stops: (() => unknown)[] = [folder.remove];
  try {
    await useCertificates(folder);
    const ports: number[] = [];
    for (const _ of NAMES) ports.push(await freePort());
    await folder.change("routes.conf", (text) => text.replaceAll(HOST, (_, number) => `localhost:${ports[Number(number) - 1]}`));
    const servers = new Map<string, NatsServer>();
    for (const [index, name] of NAMES.entries()) {
      const config = `${name}.conf`;
      await copyFile(folder.at("cluster.conf"), folder.at(config));
      await folder.change(config, (text) => text.replace("0.0.0.0:6222", `127.0.0.1:${ports[index]}`));
      const server = await startNatsServer({ port: await freePort(), args: [...argsOf(folder, config), "--name", name] });
      stops.push(server.stop);
      servers.set(name, server);
    }
    const url = [...servers.values()].map(({ port }) => `tls://localhost:${port}`).join(",");
    return { ...folder, url, ca: folder.at("ca.pem"), servers, stop: () => stopAll(stops) };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** Takes the comment signs from the blocks `tls`, whose certificates it makes. */
async function useCertificates(folder: NatsFolder): Promise<void> {
  const { server, directory } = await issueCertificates([], "localhost");
  await copyFile(server.certificate, folder.at("server.pem"));
  await copyFile(server.key, folder.at("server.key"));
  await copyFile(server.authority, folder.at("ca.pem"));
  await directory.remove();
  for (const file of ["nats-server.conf", "cluster.conf"])
    await folder.change(file, (text) =>
      text
        .replace(/^( *)# tls \{\n(?: *# .*\n)*? *# \}\n/m, (block) => block.replaceAll(/^( *)# /gm, "$1"))
        .replaceAll("/etc/nats/", `${folder.directory}/`),
    );
}
