import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import type { Decision } from "../../../src/core/decide/types.ts";
import { type Cells, createCells } from "../../../src/sidecar/cells.ts";

/** A way to count a request that was decided. */
interface Counting {
  readonly name: string;
  count(decision: Decision): void;
}

const cellsOf = (): Cells => createCells({ nowMs: () => 0, runInForce: () => 1 });

/** The cells of a sidecar: with the decision alone, and with all that is counted of a request and its end, times and status too. */
export function inCells(): Counting[] {
  const [deciding, ending] = [cellsOf(), cellsOf()];
  const decided = (cells: Cells, { rollout = "", variant, run, control, reason }: Decision): void =>
    cells.decided({ rollout, variant, run, control }, reason);
  const ended = { class: "ok", latencyMs: 12, isSession: false } as const;
  const seen = { grpcStatus: 0, isRescued: false, endToEndMs: 15, firstByteMs: 14 };
  return [
    { name: "1 rollout, decided and counted", count: (decision) => decided(deciding, decision) },
    {
      name: "1 rollout, decided and counted, and its end with times and status",
      count(decision) {
        decided(ending, decision);
        const { rollout = "", variant, run, control, bucket } = decision;
        ending.ended({ rollout, variant, run, control }, { ...ended, bucket }, seen);
      },
    },
  ];
}

/** Counters keep nothing where nobody may read. */
class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** A counter of OpenTelemetry's SDK with the same labels, to compare. */
export function byOpenTelemetry(): Counting {
  const counter = new MeterProvider({ readers: [new Reader()] }).getMeter("bench").createCounter("serin_decisions_total");
  return {
    name: "1 rollout, decided and counted by OpenTelemetry's own counter",
    count: ({ rollout = "", variant, run, control, reason }) => counter.add(1, { rollout, variant, run, control, reason }),
  };
}
