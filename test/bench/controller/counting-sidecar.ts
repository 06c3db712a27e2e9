import type { Clock } from "../../../src/io/clock.ts";
import { createLog } from "../../../src/io/log.ts";
import type { NatsLink } from "../../../src/io/nats.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { createEvidenceRounds } from "../../../src/sidecar/evidence-rounds.ts";

const log = createLog({ name: "bench", level: "error" });

/** A sidecar that counts requests of every rollout, and what it then sends. */
export function sidecarOf(id: string, runOf: (rollout: string) => number, parts: Clock) {
  const cells = createCells({ nowMs: parts.nowMs, runInForce: runOf });
  let sent: Uint8Array[] = [];
  const connection = { isClosed: () => false, publish: (_: string, data: Uint8Array) => void sent.push(Buffer.from(data)) };
  const rounds = createEvidenceRounds({
    id,
    cells,
    clock: parts,
    log,
    // Of a connection and of rules it uses no more than this.
    link: { connection } as unknown as NatsLink,
    rules: { ruleSet: () => ({ epoch: 1, revision: 1 }) } as Parameters<typeof createEvidenceRounds>[0]["rules"],
    slices: async () => undefined,
  });
  return {
    async round(names: readonly string[], requests: number): Promise<readonly Uint8Array[]> {
      for (const rollout of names) {
        for (let each = 0; each < requests; each += 1) {
          const [variant, control] = each % 10 === 0 ? ["canary", false] : ["stable", each % 10 === 9];
          const labels = { rollout, variant: String(variant), run: runOf(rollout), control: control === true };
          cells.decided(labels, "share");
          const latencyMs = Math.exp(3.7 + 0.5 * (Math.random() + Math.random() + Math.random() - 1.5));
          cells.ended(labels, {
            class: "ok",
            latencyMs,
            isSession: false,
            bucket: Math.floor(Math.random() * 2 ** 32),
            isOddHost: each % 2 === 0,
          });
        }
      }
      sent = [];
      await rounds.tell(cells.all());
      return sent;
    },
  };
}
