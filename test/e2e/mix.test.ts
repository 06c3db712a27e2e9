import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MixFigures } from "../../src/contract/mix-evidence.ts";
import { sendRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { readDocuments } from "../../src/io/documents.ts";
import type { NatsLink } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { applyRollout, connect, hasBegun, heldAt, type Stack, startStack, waitForLive } from "../support/stack.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0";
const USERS = 240;
const STAFF = 60;

/** A tenth of all users are from one country, and all of the staff. */
const countryOf = (index: number): string => (index % 10 === 0 ? "SE" : "DE");

describe("the mix of a canary's users, counted by two sidecars behind a real Envoy", () => {
  let stack: Stack;
  let link: NatsLink;
  beforeAll(async () => {
    stack = await startStack();
    link = await connect(stack);
    const text = await readFile(join(packageRoot(), "docs", "examples", "mix.yaml"), "utf8");
    const examples = readDocuments(text, "mix.yaml").rollouts.map(({ written }) => written);
    const plain = examples.map((example) => ({ ...example, name: "plain", match: { hosts: ["plain.example"] }, targets: [] }));
    for (const rollout of [...examples, ...plain]) {
      await applyRollout(stack, { ...rollout, strategy: { type: "canary", stages: heldAt("20%") } });
      await waitForLive(link, rollout.name, hasBegun);
    }
    for (const host of ["shop.example", "plain.example"]) await everybodyAsks(host);
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });

  const ask = (host: string, user: string, headers: Readonly<Record<string, string>>) =>
    sendRequest({ port: stack.envoy.port, host, path: "/", user, headers: { "user-agent": FIREFOX, ...headers } });

  async function everybodyAsks(host: string): Promise<void> {
    for (let index = 0; index < USERS; index += 1) await ask(host, `user-${index}`, { "x-country": countryOf(index) });
    // The target's header is nobody's choice where no target asks for it.
    for (let index = 0; index < STAFF; index += 1) await ask(host, `staff-${index}`, { "x-country": "SE", "x-staff": "1" });
  }

  /** What `serin status` shows when it is as wanted. */
  const mixOf = (name: string, isWanted: (mix: MixFigures) => boolean): Promise<MixFigures> =>
    waitFor(
      async () => {
        const { out } = await stack.serin("status", name, "--json");
        const mix: MixFigures | null = JSON.parse(out).rollouts[0].mix;
        return mix !== null && isWanted(mix) ? mix : undefined;
      },
      { deadlineMs: 60_000, what: `the mix of ${name} to be as wanted` },
    );
  const isWhole = ({ users }: MixFigures): boolean => users.all === USERS + STAFF;

  test("is shown with a warning that names the target, where one brings people from one country", async () => {
    const { users, values, skews } = await mixOf("shop", isWhole);
    expect(users).toMatchObject({ target: STAFF, cohort: 0 });
    expect(users.canary).toBe(users.share + STAFF);
    const of = (wanted: string) => values.find(({ label, value }) => `${label}=${value}` === wanted)?.users;
    expect(of("country=SE")).toMatchObject({ target: STAFF, all: STAFF + USERS / 10 });
    expect([of("browser=Firefox")?.all, of("plan=none")?.all]).toEqual([USERS + STAFF, USERS + STAFF]);
    expect(skews[0]).toMatchObject({ label: "country", value: "SE", cause: { by: "target", target: "staff", hasMore: true } });
    expect(new Set(skews.map(({ label }) => label))).toEqual(new Set(["country"]));
    const { out } = await stack.serin("status", "shop");
    expect(out).toMatch(/warning: \d\d % of the canary's users have country=SE, 28 % of all; brought by target `staff` \(odds /);
  });

  test("is shown without one, where the share alone chose them", async () => {
    const { users, skews } = await mixOf("plain", isWhole);
    expect(users.canary).toBeGreaterThan((USERS + STAFF) / 10);
    expect([users.canary, skews]).toEqual([users.share, []]);
    const { out } = await stack.serin("status", "plain");
    expect(out).toContain("users of run");
    expect(out).not.toContain("warning");
  });

  test("goes on under the next controller, and counts nobody twice", async () => {
    const before = await mixOf("shop", isWhole);
    await stack.controller(0).kill();
    await stack.startController(0);
    await ask("shop.example", "one-more", { "x-country": "FR", "x-staff": "1" });
    await ask("shop.example", "staff-0", { "x-country": "SE", "x-staff": "1" });
    const after = await mixOf("shop", ({ users }) => users.target === STAFF + 1);
    expect(after.users).toEqual({ ...before.users, canary: before.users.canary + 1, target: STAFF + 1, all: before.users.all + 1 });
  });
});
