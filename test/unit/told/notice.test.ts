import { expect, test } from "vitest";
import type { Audit } from "../../../src/contract/messages.ts";
import { NotificationsSchema, type Receiver } from "../../../src/contract/notifications.ts";
import { isWanted, noticeOf } from "../../../src/told/notice.ts";
import { bodyFor } from "../../../src/told/notice-bodies.ts";

const line = (change: Partial<Audit> = {}): Audit => ({
  format: 1,
  id: "id-1",
  atMs: 0,
  rollout: "cart",
  action: "stage",
  who: { name: "ann", claimed: true },
  reason: "stage 1 of 2: all obey",
  run: 2,
  shareBp: 500,
  phase: "stage",
  stage: 1,
  of: 2,
  ...change,
});

const receiver = (form: object): Receiver => {
  const [found] = NotificationsSchema.parse([{ name: "one", slack: { url: "https://chat.example" }, ...form }]);
  if (found === undefined) throw new Error("none");
  return found;
};

test.each([
  { change: {}, text: "cart: goes on at 5 %: stage 1 of 2: all obey (ann (claimed))", stage: "stage 1 of 2" },
  {
    change: { action: "rollback", shareBp: 0, phase: "rollingBack", before: { phase: "ramp", shareBp: 1_250 } },
    text: "cart: rolling back from ramp at 12.5 %: stage 1 of 2: all obey (ann (claimed))",
    stage: "ramp",
  },
  {
    change: { action: "rollback", shareBp: 0 },
    text: "cart: rolling back at 0 %: stage 1 of 2: all obey (ann (claimed))",
    stage: "stage 1 of 2",
  },
  {
    change: { action: "freeze", rollout: undefined, shareBp: undefined, stage: undefined, phase: undefined, reason: undefined },
    text: "all rollouts: frozen (ann (claimed))",
    stage: "",
  },
  {
    change: { action: "of-another-version", reason: "new" },
    text: "cart: of-another-version at 5 %: new (ann (claimed))",
    stage: "stage 1 of 2",
  },
])("$text", ({ change, text, stage }) => {
  expect(noticeOf(line(change), undefined)).toMatchObject({ text, stage, link: "", evidence: "", time: "1970-01-01T00:00:00.000Z" });
});

test("a link leads to the rollout, or to the whole picture", () => {
  const links = [line(), line({ rollout: undefined })].map((each) => noticeOf(each, "https://serin.example").link);
  expect(links).toEqual(["https://serin.example/v1/rollouts/cart", "https://serin.example/v1/status"]);
});

test.each([
  { rollouts: ["*"], events: ["stage"], wanted: true },
  { rollouts: ["ca*"], events: ["stage"], wanted: true },
  { rollouts: ["cart"], events: ["stage", "paused"], wanted: true },
  { rollouts: ["car"], events: ["stage"], wanted: false },
  { rollouts: ["shop-*"], events: ["stage"], wanted: false },
  { rollouts: ["*"], events: ["paused"], wanted: false },
])("a receiver of $events of $rollouts is told of a stage of cart: $wanted", ({ wanted, ...asked }) => {
  expect(isWanted(receiver(asked), line())).toBe(wanted);
  expect(isWanted(receiver({ ...asked, events: ["freeze"] }), line({ action: "freeze", rollout: undefined }))).toBe(true);
});

test.each([
  ["application/x-www-form-urlencoded", "text=a%26b%20c"],
  ["text/plain", "text=a&b c"],
])("a template of %s says %s", (contentType, said) => {
  const [own] = NotificationsSchema.parse([{ name: "own", template: { url: "https://x.example", contentType, body: "text={{reason}}" } }]);
  if (own === undefined) throw new Error("none");
  expect(bodyFor(own, noticeOf(line({ reason: "a&b c" }), undefined), line())).toEqual({ contentType, body: said });
});

test.each([
  [{ webhook: {} }, "needs one address; write url or urlFrom"],
  [{ webhook: { url: "https://a.example", urlFrom: "b" } }, "needs one address; write url or urlFrom"],
  [{ template: { url: "https://a.example", body: "{{nobody}}" } }, "{{nobody}} is nothing that can be told"],
  [{ template: { url: "https://a.example", body: '{"share": {{share}}}' } }, "the body is not JSON; write placeholders inside texts"],
  [{ webhook: { url: "https://me:secret@a.example" } }, "no place for a user or a password"],
  [{ webhook: { url: "https://a.example" }, rollouts: ["a b"] }, "not a name; write one, or the beginning of some"],
])("a receiver with %j is refused", (form, message) => {
  const { error } = NotificationsSchema.safeParse([{ name: "one", ...form }]);
  expect(JSON.stringify(error?.issues)).toContain(message);
});

test("two receivers of one name are refused", () => {
  const twice = [1, 2].map(() => ({ name: "one", webhook: { url: "https://a.example" } }));
  expect(NotificationsSchema.safeParse(twice).error?.issues[0]?.message).toContain('"one" stands here already');
});
