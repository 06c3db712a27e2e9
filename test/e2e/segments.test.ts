import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { STREAMS, SUBJECTS } from "../../src/contract/names.ts";
import { sendRequest } from "../../src/demo/traffic.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { type NatsLink, subscribeSafely } from "../../src/io/nats.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { plainVariant } from "../support/plain-bucketing.ts";
import { manyUsers } from "../support/segments.ts";
import { ask, connect, hasBegun, heldAt, rolloutOf, type Stack, startStack, waitForLive } from "../support/stack.ts";

const USERS = manyUsers(200_000);

describe("a segment of 200,000 users, from the command line to the users of a real Envoy", () => {
  let stack: Stack;
  let link: NatsLink;
  /** Blobs that sidecars asked for, in order. */
  const fetched: string[] = [];
  beforeAll(async () => {
    stack = await startStack({ sidecars: 1 });
    link = await connect(stack);
    const errors: unknown[] = [];
    const gets = `$JS.API.DIRECT.GET.${STREAMS.state}.${SUBJECTS.blob("*")}`;
    subscribeSafely(
      link,
      gets,
      ({ subject }) => fetched.push(subject),
      (error) => errors.push(error),
    );
    await link.connection.flush();
  });
  afterAll(async () => {
    await link.close();
    await stack.stop();
  });

  async function apply(users: readonly string[], ...more: object[]): Promise<string> {
    await writeFile(join(stack.directory, "users.txt"), users.join("\n"));
    const segment = {
      apiVersion: "serin/v1",
      kind: "Segment",
      name: "testers",
      usersFrom: "users.txt",
      when: { header: { name: "x-office", exact: "vienna" } },
    };
    const file = join(stack.directory, "segment.yaml");
    await writeFile(file, [segment, ...more].map((document) => stringify(document)).join("---\n"));
    const { code, out, error } = await stack.serin("apply", "-f", file);
    if (code !== 0) throw new Error(`apply ended with ${code}: ${error}`);
    return out;
  }
  async function stored(): Promise<Set<string>> {
    const { state } = await (await jetstreamManager(link.connection)).streams.info(STREAMS.state, { subjects_filter: SUBJECTS.blob("*") });
    return new Set(Object.keys(state.subjects ?? {}));
  }
  const variantOf = async (user: string, headers: Record<string, string> = {}): Promise<string | undefined> =>
    (await ask(stack, user, headers)).seen;

  test("is refused by name where a rollout asks for another", async () => {
    const file = join(stack.directory, "asking.yaml");
    const target = { name: "testers", variant: "canary", when: { segment: "tester" } } as const;
    await writeFile(file, stringify({ ...rolloutOf("asking", heldAt("1%")), targets: [target] }));
    const { code, error } = await stack.serin("apply", "-f", file);
    expect([code, error]).toEqual([5, expect.stringContaining("there is no segment tester")]);
  });

  test("is sent in chunks, and decides", async () => {
    const target = { name: "testers", variant: "canary", when: { segment: "testers" } } as const;
    const rollout = { ...rolloutOf("asking", [{ share: "0.01%", minTime: "1h" }]), targets: [target] };
    expect(await apply(USERS, rollout)).toContain("segment testers: apply: 200000 users in 64 chunks and a condition");
    await waitForLive(link, "asking", hasBegun);
    expect(await variantOf("user-199999")).toBe("canary");
    expect(await variantOf("somebody")).toBe("stable");
    expect(await variantOf("somebody", { "x-office": "vienna" })).toBe("canary");
    // 64 chunks, the index, and the rules of one rollout.
    expect([(await stored()).size, new Set(fetched).size]).toEqual([66, 66]);
  });

  test("sends one chunk and the index when one user comes, and moves that user", async () => {
    const before = await stored();
    fetched.length = 0;
    expect(await apply([...USERS, "somebody"])).toContain("200001 users");
    await waitFor(async () => (await variantOf("somebody")) === "canary", { deadlineMs: 15_000, what: "somebody to be in the segment" });
    const added = [...(await stored())].filter((subject) => !before.has(subject));
    expect(added).toHaveLength(2);
    expect(fetched.map((subject) => subject.slice(subject.indexOf("serin.state."))).toSorted()).toEqual(added.toSorted());
    expect(await variantOf("somebody-else")).toBe("stable");
  });

  test("is told without its users", async () => {
    const { out } = await stack.serin("get", "segment", "testers", "--json");
    expect(JSON.parse(out)).toEqual({
      name: "testers",
      users: 200_001,
      chunks: 64,
      when: { header: { name: "x-office", exact: "vienna" } },
    });
    const explained = await stack.serin(
      "explain",
      "--host",
      "shop.example",
      "--path",
      "/",
      "--header",
      "x-user-id=somebody",
      "--nats",
      stack.nats.url,
    );
    expect(explained.out).toContain("segment testers holds: the user is listed");
  });

  test("the example's is applied by the command line, and asked for by its rollout", async () => {
    const { code, error } = await stack.serin("apply", "-f", join(packageRoot(), "docs", "examples", "segment.yaml"));
    expect([code, error]).toEqual([0, ""]);
    await waitForLive(link, "search", hasBegun);
    const seen = async (user: string, headers: Record<string, string> = {}): Promise<string | undefined> =>
      (await sendRequest({ port: stack.envoy.port, host: "search.example", path: "/", user, headers })).seen;
    await waitFor(async () => (await seen("ann")) === "canary", { deadlineMs: 15_000, what: "ann to be in the segment" });
    const listed = ["ann", "ben", "cy", "dora@shop.example"];
    expect(await Promise.all(listed.map((user) => seen(user)))).toEqual(listed.map(() => "canary"));
    const others = ["user-1", "user-2"];
    expect(await Promise.all(others.map((user) => seen(user)))).toEqual(others.map((user) => plainVariant("search", user, 100)));
    expect(await seen("user-1", { "x-office": "graz" })).toBe("canary");
    expect(await seen("ann", { "user-agent": "Crawler/1.0" })).toBe("stable");
  });
});
