import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/demo/run-command.ts";

/** A certificate and its key as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly directory: { remove(): Promise<void> };
  /** Paths. */
  readonly server: { readonly certificate: string; readonly key: string; readonly authority: string };
  /** In the order of the URIs. */
  readonly clients: readonly Certificate[];
  /** PEM of the authority. */
  readonly authority: string;
}

/** Makes an authority of a day, a server's certificate of that name, and one for each client with that URI in it, by the program `openssl`. */
export async function issueCertificates(uris: readonly string[], name = "edge.example"): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), "se-tls-"));
  const at = (file: string): string => join(directory, file);
  const openssl = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await runCommand("openssl", args, 30_000);
    if (code !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
  };
  const keyArgs = (name: string) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at(`${name}.key`)];
  await openssl("req", "-x509", ...keyArgs("ca"), "-out", at("ca.pem"), "-subj", "/CN=ca", "-days", "1");
  const issue = async (file: string, alternative: string): Promise<void> => {
    await openssl("req", ...keyArgs(file), "-out", at(`${file}.csr`), "-subj", `/CN=${file}`);
    await writeFile(at(`${file}.ext`), `subjectAltName=${alternative}\n`);
    const signing = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at(`${file}.ext`)];
    await openssl("x509", "-req", "-in", at(`${file}.csr`), ...signing, "-out", at(`${file}.pem`), "-days", "1");
  };
  await issue("server", `DNS:${name}`);
  const clients: Certificate[] = [];
  for (const [index, uri] of uris.entries()) {
    await issue(`client-${index}`, `URI:${uri}`);
    clients.push({
      cert: await readFile(at(`client-${index}.pem`), "utf8"),
      key: await readFile(at(`client-${index}.key`), "utf8"),
    });
  }
  return {
    directory: { remove: () => rm(directory, { recursive: true, force: true }) },
    server: { certificate: at("server.pem"), key: at("server.key"), authority: at("ca.pem") },
    clients,
    authority: await readFile(at("ca.pem"), "utf8"),
  };
}
