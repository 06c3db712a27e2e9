import { join } from "node:path";
import { NATS_PERMISSIONS, NATS_ROLES, type NatsPermissions } from "../src/contract/nats-permissions.ts";
import { table } from "./page.ts";

/** Where the permissions stand that a `nats-server.conf` includes. */
export const NATS_PERMISSIONS_PATH = join("deploy", "nats", "permissions.conf");

/** A variable for each role, as NATS reads them. */
export const natsPermissionsText = (): string =>
  [
    "# Made by `npm run docs` from src/contract; do not edit.",
    ...NATS_ROLES.map((role) => variable(role, NATS_PERMISSIONS[role])),
    "",
  ].join("\n");

function variable(role: string, { publish, subscribe, answers }: NatsPermissions): string {
  const list = (verb: string, subjects: readonly string[]): string[] => [
    `  ${verb}: { allow: [`,
    ...subjects.map((subject) => `    "${subject}"`),
    "  ] }",
  ];
  return [
    "",
    `${role}_permissions = {`,
    ...list("publish", publish),
    ...list("subscribe", subscribe),
    // What was asked is answered once; commands wait for five seconds.
    ...(answers ? ['  allow_responses: { max: 1, expires: "10s" }'] : []),
    "}",
  ].join("\n");
}

/** The same for people. */
export const natsPermissionsTable = (): string =>
  table(
    ["Role", "May publish", "May subscribe to"],
    NATS_ROLES.map((role) => {
      const { publish, subscribe, answers } = NATS_PERMISSIONS[role];
      return [
        role,
        [...publish.map(code), ...(answers ? ["answers to what it was asked"] : [])].join(", "),
        subscribe.map(code).join(", "),
      ];
    }),
  );

const code = (text: string): string => `\`${text}\``;
