import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { packageRoot } from "../../src/io/package-root.ts";

/** Where the compose file lies, and what it names by `./`. */
export const composeFolder = (): string => join(packageRoot(), "deploy", "compose");

const words = z.array(z.string());

const ServiceSchema = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string() }).optional(),
  entrypoint: words.optional(),
  command: words.default([]),
  environment: z.record(z.string(), z.string()).default({}),
  working_dir: z.string().optional(),
  volumes: words.default([]),
  ports: words.default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  healthcheck: z.looseObject({ disable: z.boolean().optional(), test: words.optional() }).optional(),
  profiles: words.default([]),
  restart: z.string(),
  read_only: z.boolean().default(false),
  cap_drop: words.default([]),
  security_opt: words.default([]),
});
const ComposeSchema = z.looseObject({ services: z.record(z.string(), ServiceSchema), volumes: z.record(z.string(), z.null()) });

/** A service of the compose file, with what it leaves out. */
export type ComposeService = z.infer<typeof ServiceSchema>;

/** The shipped compose file, with variables of `env` in the places of `${NAME:-default}`. */
export function readCompose(env: Readonly<Record<string, string>> = {}): z.infer<typeof ComposeSchema> {
  const text = readFileSync(join(composeFolder(), "compose.yaml"), "utf8");
  const filled = text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, otherwise: string) => env[name] ?? otherwise);
  return ComposeSchema.parse(parse(filled, { merge: true }));
}

/** What a service finds under a path; `host` is undefined for a named volume. */
export interface Mount {
  readonly container: string;
  readonly host: string | undefined;
  readonly isReadOnly: boolean;
}

/** Mounts of a service: `./FILE:PATH:ro` or `NAME:PATH`. */
export const mountsOf = ({ volumes }: ComposeService): Mount[] =>
  volumes.map((volume) => {
    const [source = "", container = "", mode] = volume.split(":");
    return { container, host: source.startsWith(".") ? resolve(composeFolder(), source) : undefined, isReadOnly: mode === "ro" };
  });
