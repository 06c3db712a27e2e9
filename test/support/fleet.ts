import type { Stack } from "../../src/demo/stack.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { connectNats } from "../../src/io/nats.ts";
import type { NatsAccess } from "../../src/io/nats-access.ts";
import { readFleet } from "../../src/io/store.ts";

/** A controller is succeeded within about three seconds: tests of it are short, and a busy machine holds no leader up for so long. */
export const LEASE = ["--renew", "200ms", "--lease", "3s"] as const;

/** What a test shows NATS where that asks for it. */
export type Login = Pick<NatsAccess, "creds" | "ca">;

/** A sidecar serves before it has NATS: a rollout that is applied at once could begin without it. */
export async function waitForFleet(stack: Pick<Stack, "nats" | "sidecarIds">, login: Login = {}): Promise<void> {
  const link = await connectNats({ url: stack.nats.url, ...login, name: "test", waitForServer: true });
  const isKnown = async (): Promise<true | undefined> => {
    const known = (await readFleet(link))?.sidecars ?? {};
    return stack.sidecarIds.every((id) => id in known) ? true : undefined;
  };
  try {
    await waitFor(isKnown, { deadlineMs: 30_000, what: "the controller to know every sidecar" });
  } finally {
    await link.close();
  }
}
