import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../src/demo/wait-for.ts";
import { askEcho, serinHeaders } from "./echo-client.ts";
import { type Mesh, type MeshEdge, startMeshEdge } from "./mesh-edge.ts";

const USERS = Array.from({ length: 20 }, (_, index) => `user-${index}`);

/** What the files for a mesh promise, of an Envoy whose path `program` gives. */
export function testMesh(mesh: Mesh, program: () => string | Promise<string>): void {
  describe(`with the files for ${mesh.title}, Envoy`, () => {
    let edge: MeshEdge;
    beforeAll(async () => {
      edge = await startMeshEdge(mesh, await program());
    });
    afterAll(() => edge.stop());

    const ask = (headers: Record<string, string>) =>
      askEcho(edge.envoy.port, { path: "/checkout", headers: { host: mesh.host, ...headers } });
    const userOf = (variant: string): string => USERS.find((user) => edge.shareOf(user) === variant) ?? "";

    test("sends each user to the variant that the share gives, and the sidecar hears of each end for the right one", async () => {
      const answers: Record<string, string> = {};
      for (const user of USERS) answers[user] = (await ask({ "x-user-id": user })).answeredBy;
      expect(answers).toEqual(Object.fromEntries(USERS.map((user) => [user, edge.shareOf(user)])));

      const all = async (): Promise<Readonly<Record<string, number>> | undefined> => {
        const counts = await edge.outcomes();
        return Object.values(counts).reduce((sum, count) => sum + count, 0) >= USERS.length ? counts : undefined;
      };
      const ofCanary = USERS.filter((user) => edge.shareOf(user) === "canary").length;
      const counted = await waitFor(all, { deadlineMs: 15_000, what: "all outcomes" });
      expect(counted).toEqual({ "canary ok": ofCanary, "stable ok": USERS.length - ofCanary });
    });

    test.each(["stable", "canary"])(
      "takes Serin's headers from clients before it routes, and no user of %s goes elsewhere",
      async (variant) => {
        const echo = await ask({ "x-serin-variant": "canary", "x-serin-other": "1", "x-user-id": userOf(variant) });
        const tags = variant === "canary" ? { "x-serin-variant": "canary" } : {};
        expect([echo.answeredBy, serinHeaders(echo)]).toEqual([variant, tags]);
      },
    );

    test("answers by stable when no sidecar does, whatever a client sends", async () => {
      await edge.stopSidecar();
      const answers = await Promise.all(USERS.map((user) => ask({ "x-user-id": user, "x-serin-variant": "canary" })));
      expect([...new Set(answers.map(({ answeredBy }) => answeredBy))]).toEqual(["stable"]);
    });
  });
}
