import { expect, test } from "vitest";
import { stopAll } from "../../../src/demo/stop-all.ts";

test("the last started is stopped first, and one that fails does not keep the others running", async () => {
  const stopped: string[] = [];
  const stops = [
    () => stopped.push("first"),
    () => {
      throw new Error("stuck");
    },
    async () => void stopped.push("last"),
  ];
  await expect(stopAll(stops)).rejects.toThrow("Error: stuck");
  expect(stopped).toEqual(["last", "first"]);
});

test("stopping twice stops once", async () => {
  let count = 0;
  const stops = [() => (count += 1)];
  await stopAll(stops);
  await stopAll(stops);
  expect(count).toBe(1);
});
