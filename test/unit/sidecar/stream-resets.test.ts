import { beforeEach, expect, test, vi } from "vitest";
import { METRICS } from "../../../src/contract/names.ts";
import { createLog } from "../../../src/io/log.ts";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";
import { createState, type SidecarState } from "../../../src/sidecar/sidecar-state.ts";

const log = createLog({ name: "test", level: "silent" });
let warned: ReturnType<typeof vi.spyOn>;
let state: SidecarState;
beforeEach(() => {
  warned = vi.spyOn(log, "warn").mockClear();
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  state = createState(SidecarOptionsSchema.parse({ id: "s", extProc: "127.0.0.1:0", source: { file: "rules.json" } }), { log, clock });
});

/** So many streams, of which the first so many end by a reset. */
function streams(count: number, resets: number): void {
  for (let index = 0; index < count; index += 1) {
    state.extProc.streamBegun();
    state.extProc.streamClosed(index < resets);
  }
}

const counted = () => [...state.collect()].find(({ descriptor }) => descriptor.name === METRICS.streamResets)?.dataPoints[0]?.value;

test("an Envoy that ends nearly every stream by reset is spoken of, once, after a thousand of them", () => {
  streams(999, 999);
  expect(warned).not.toHaveBeenCalled();
  streams(9_000, 9_000);
  expect(warned).toHaveBeenCalledOnce();
  expect(warned.mock.calls[0]?.[1]).toContain("ext_proc_graceful_grpc_close");
  expect(counted()).toBe(9_999);
});

test("resets now and then are counted and nothing is said: users leave, and some decisions come too late", () => {
  for (let round = 0; round < 30; round += 1) streams(1_000, 100);
  expect(warned).not.toHaveBeenCalled();
  expect(counted()).toBe(3_000);
});
