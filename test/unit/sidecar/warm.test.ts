import { expect, test } from "vitest";
import { loadServices } from "../../../src/sidecar/protos.ts";
import { warm } from "../../../src/sidecar/warm.ts";

test("warming goes the whole way from bytes to bytes, some hundred times, without a surprise", () => {
  const [process] = Object.values(loadServices().externalProcessor);
  if (process === undefined) throw new Error("no method");
  const answers: unknown[] = [];
  const responseSerialize = (answer: object): Buffer => {
    answers.push(answer);
    return process.responseSerialize(answer);
  };
  warm({ Process: { ...process, responseSerialize } });
  expect(answers.length).toBeGreaterThanOrEqual(300);
  // Both variants and the case without a key are warm.
  const variants = answers.map((answer) => Object(answer).dynamicMetadata.fields.serin.structValue.fields.variant.stringValue);
  expect(new Set(variants)).toEqual(new Set(["stable", "canary"]));
});

test("warming that fails stops the start, for requests would fail too", () => {
  const [process] = Object.values(loadServices().externalProcessor);
  if (process === undefined) throw new Error("no method");
  const requestDeserialize = (): object => ({ request: "requestHeaders", requestHeaders: { headers: { headers: [null] } } });
  expect(() => warm({ Process: { ...process, requestDeserialize } })).toThrow("decide failed while warming");
});
