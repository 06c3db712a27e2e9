import { expect, test } from "vitest";
import { Mailbox } from "../../../src/controller/mailbox.ts";

test("jobs run one after another, in order", async () => {
  const seen: string[] = [];
  const mailbox = new Mailbox((error) => void seen.push(String(error)));
  const job = (name: string) => async (): Promise<void> => {
    seen.push(`${name} begins`);
    await Promise.resolve();
    seen.push(`${name} ends`);
  };
  const done = new Promise<void>((resolve) => {
    mailbox.post(job("a"));
    mailbox.post(job("b"));
    mailbox.post(resolve);
  });
  await done;
  expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("a job that throws is reported and the next one runs", async () => {
  const seen: unknown[] = [];
  const mailbox = new Mailbox((error) => void seen.push(error));
  const trouble = new Error("no");
  const done = new Promise<void>((resolve) => {
    mailbox.post(() => Promise.reject(trouble));
    mailbox.post(resolve);
  });
  await done;
  expect(seen).toEqual([trouble]);
});

test("closing waits for the running job and drops the others", async () => {
  const seen: string[] = [];
  const mailbox = new Mailbox((error) => void seen.push(String(error)));
  let finish = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    mailbox.post(() => {
      resolve();
      return new Promise<void>((end) => {
        finish = () => {
          seen.push("running one ends");
          end();
        };
      });
    });
  });
  mailbox.post(() => void seen.push("never"));
  await begun;
  const closed = mailbox.close();
  finish();
  await closed;
  expect(seen).toEqual(["running one ends"]);
});

test("what is for later waits for all others, but not for ever", async () => {
  const seen: string[] = [];
  const mailbox = new Mailbox((error) => void seen.push(String(error)));
  const done = new Promise<void>((resolve) => {
    mailbox.postLater(() => void seen.push("later"));
    for (let count = 1; count <= 100; count += 1) mailbox.post(() => void seen.push(String(count)));
    mailbox.postLater(resolve);
  });
  await done;
  const at = seen.indexOf("later");
  expect(at).toBeGreaterThan(10);
  expect(at).toBeLessThan(50);
});
