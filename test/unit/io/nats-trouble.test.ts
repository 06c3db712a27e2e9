import { errors } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { createTroubles, troubleOf } from "../../../src/io/nats-trouble.ts";

const access = { url: "nats://n:4222" };
const missing = Object.assign(new Error("ENOENT: no such file or directory, open 'ca.pem'"), { code: "ENOENT" });
const away = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:4222"), { code: "ECONNREFUSED" });

test.each([
  { error: new errors.ProtocolError("maximum connections exceeded"), says: "NATS at nats://n:4222 says: maximum connections exceeded" },
  { error: new Error("cannot connect", { cause: missing }), says: missing.message },
  { error: new Error("cannot connect", { cause: away }), says: undefined },
])("what an operator must put right is said, and that a server is away is not: $error.message", ({ error, says }) => {
  expect(troubleOf(error, access)).toBe(says);
});

test("each trouble is said once, until all is well again", () => {
  const said: string[] = [];
  const { tell, over } = createTroubles(access, (problem) => void said.push(problem));
  for (const error of [new errors.ProtocolError("a"), away, new errors.ProtocolError("a"), new errors.ProtocolError("b")]) tell(error);
  over();
  tell(new errors.ProtocolError("a"));
  expect(said).toEqual(["a", "b", "a"].map((text) => `NATS at nats://n:4222 says: ${text}`));
});
