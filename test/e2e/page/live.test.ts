import type { Locator } from "playwright-core";
import { describe, expect, onTestFinished } from "vitest";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { listAudit, readJudge } from "../../../src/io/store.ts";
import { signIn } from "../../support/page-world.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, startLoad, waitForLive } from "../../support/stack.ts";
import { test } from "./page.ts";

/** A reason that would do harm where it is not taken as text. */
const HOSTILE = `<img src=x onerror="window.hacked=1"> "'&\u202E </script><script>window.hacked=1</script>`;

/** What the browser says of a controller that is away. */
const OF_NETWORK = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|503/;

describe("the page on a live system", () => {
  test("shows a rollback within 2 s, without a reload, with charts of what led to it", async ({ world: { stack, url }, open }) => {
    const link = await connect(stack);
    onTestFinished(() => link.close());
    await applyRollout(stack, rolloutOf("checkout", heldAt("20%")));
    await waitForLive(link, "checkout", hasBegun);
    const load = startLoad(stack, 60);
    onTestFinished(load.stop);
    const { page } = await open();
    await signIn(page, url, "ann");
    await page.getByRole("row", { name: /checkout.*stage 1 of 1/ }).waitFor();
    await page.getByRole("link", { name: "checkout" }).click();
    await page.evaluate("window.mark = 'the same document'");
    await waitFor(async () => ((await readJudge(link, "checkout"))?.totals.stable.requests ?? 0) > 300, {
      deadlineMs: 60_000,
      what: "stable to be known",
    });
    await page.getByRole("img", { name: /^errors\. Stable 0\.00 %/ }).waitFor();
    stack.canary.failPart(1);
    await waitForLive(link, "checkout", ({ plan }) => plan.phase === "rollingBack" || plan.phase === "rolledBack");
    await page.locator(".phase", { hasText: /^roll(ing|ed) back/ }).waitFor({ timeout: 2_000 });
    stack.canary.failPart(0);
    await page.getByRole("row", { name: /rolledBack/ }).waitFor();
    await page.getByRole("img", { name: /^Share of the users\. .*the last verdict is rollback/ }).waitFor();
    expect(await page.evaluate("window.mark")).toBe("the same document");
    await page
      .getByRole("status")
      .filter({ hasText: /^checkout: roll(ing|ed) back/ })
      .waitFor();
  });

  test("aborts from the keyboard, with a reason that is text and nothing else, in the name of the token", async ({
    world: { stack, url },
    open,
  }) => {
    const link = await connect(stack);
    onTestFinished(() => link.close());
    await applyRollout(stack, { ...rolloutOf("cart", heldAt("20%")), match: { hosts: ["cart.example"] } });
    await waitForLive(link, "cart", hasBegun);
    const { page } = await open();
    await signIn(page, url, "ann");
    await page.getByRole("link", { name: "cart" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "cart" }).waitFor();
    await waitFor(async () => (await page.evaluate("document.activeElement?.tagName")) === "H1", {
      deadlineMs: 20_000,
      what: "the heading to have the focus",
    });
    const abort = page.getByRole("button", { name: "Abort" });
    await abort.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await abort.click();
    await page.getByLabel("Reason").fill(HOSTILE);
    await page.getByRole("button", { name: "Abort cart" }).click();
    await page.locator(".phase", { hasText: /^rolled back/ }).waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    const row = page.getByRole("row", { name: /rollback/ }).first();
    expect(await row.textContent()).toContain(HOSTILE);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    const line = (await listAudit(link, "cart", 100)).find(({ action }) => action === "rollback");
    expect(line?.who).toEqual({ name: "ann", claimed: false });
    expect(await page.getByRole("button", { name: "Retry" }).isEnabled()).toBe(true);
  });

  test("asks anew after a refusal, in spite of a freeze, with what was typed before the connection was lost", async ({
    world: { stack, url },
    open,
  }) => {
    const link = await connect(stack);
    onTestFinished(() => link.close());
    await applyRollout(stack, { ...rolloutOf("basket", heldAt("20%")), match: { hosts: ["basket.example"] } });
    await waitForLive(link, "basket", hasBegun);
    await stack.serin("freeze", "--reason", "incident 12");
    onTestFinished(async () => void (await stack.serin("unfreeze")));
    const { page, errors } = await open();
    await signIn(page, url, "ann");
    await page.getByRole("link", { name: "basket" }).click();
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    await page.getByRole("textbox", { name: "Reason" }).fill("it mends the incident");
    const promote = page.getByRole("dialog").getByRole("button", { name: "Promote basket" });
    await promote.click();
    await page.locator("dialog .bad", { hasText: /incident 12/ }).waitFor();
    await stack.controller(0).stop();
    await page.getByText(/^Not live/).waitFor();
    await stack.startController(0);
    await page.getByText(/^Not live/).waitFor({ state: "detached" });
    const other = await open();
    await signIn(other.page, url, "board");
    await other.page.getByText(/^Controller controller-0 leads/).waitFor();
    expect(await page.getByRole("textbox", { name: "Reason" }).inputValue()).toBe("it mends the incident");
    await page.getByLabel("In spite of what holds it").check();
    await promote.click();
    await page.getByRole("button", { name: "Close" }).waitFor();
    await waitForLive(link, "basket", ({ plan }) => plan.phase !== "stage");
    expect(errors.splice(0).filter((text) => !OF_NETWORK.test(text) && !text.includes("409"))).toEqual([]);
  });

  test("gives everyone the variant of a test that a person chooses", async ({ world: { stack, url }, open }) => {
    const link = await connect(stack);
    onTestFinished(() => link.close());
    const { strategy: _, variants, ...base } = rolloutOf("layout", heldAt("20%"));
    await applyRollout(stack, {
      ...base,
      match: { hosts: ["layout.example"] },
      variants: { ...variants, narrow: { cluster: "canary", tags: { "x-serin-variant": "narrow" } } },
      strategy: { type: "abTest", shares: { canary: "30%", narrow: "30%" }, time: "14d" },
    });
    await waitForLive(link, "layout", ({ plan }) => plan.phase === "trial" && plan.begunAtMs !== null);
    const { page } = await open();
    await signIn(page, url, "ann");
    await page.getByRole("link", { name: "layout" }).click();
    await page.getByRole("button", { name: "Promote to 100 %" }).click();
    const choice = page.getByLabel("Everyone gets");
    expect(await choice.getByRole("option").allTextContents()).toEqual(["canary", "narrow"]);
    await choice.selectOption("narrow");
    await page.getByRole("dialog").getByRole("button", { name: "Promote to 100 % layout" }).click();
    await page.getByRole("button", { name: "Close" }).click();
    const { plan } = await waitForLive(link, "layout", (live) => live.plan.phase === "promoted");
    expect(plan).toHaveProperty("winner", "narrow");
  });

  test("freezes the mesh and lifts it, and forgets a sidecar that is gone, each in the name of the token", async ({
    world: { stack, url },
    open,
  }) => {
    const link = await connect(stack);
    onTestFinished(() => link.close());
    await applyRollout(stack, { ...rolloutOf("shelf", heldAt("20%")), match: { hosts: ["shelf.example"] } });
    const { page } = await open();
    await signIn(page, url, "ann");
    const say = async (button: Locator, title: string): Promise<void> => {
      await button.click();
      await page.getByRole("textbox", { name: "Reason" }).fill("drill");
      await page.getByRole("dialog").getByRole("button", { name: title }).click();
      await page.getByRole("button", { name: "Close" }).click();
    };
    await say(page.getByRole("button", { name: "Freeze" }), "Freeze the mesh");
    await page.getByText(/nothing advances; what goes back still does/).waitFor();
    await say(page.getByRole("button", { name: "Unfreeze" }), "Unfreeze the mesh");
    await page.getByRole("button", { name: "Freeze", exact: true }).waitFor();
    await page.getByRole("link", { name: "Fleet" }).click();
    onTestFinished(() => stack.startSidecar(1));
    await stack.sidecar(1).kill();
    const gone = page.locator("[data-sidecar=sidecar-1]");
    await say(gone.getByRole("button"), "Forget sidecar-1");
    await gone.waitFor({ state: "detached" });
    // The audit is written behind what it tells. What is of the whole mesh has lines of its own; that a sidecar is gone, each rollout too.
    for (const [rollout, actions] of [
      [undefined, ["freeze", "unfreeze", "forget"]],
      ["shelf", ["forget"]],
    ] as const) {
      const told = async () => (await listAudit(link, rollout, 100)).filter(({ who }) => who.name === "ann");
      await waitFor(async () => (await told()).length === actions.length, { deadlineMs: 20_000, what: "the audit" });
      expect((await told()).map(({ action }) => action)).toEqual(actions);
    }
  });

  test("comes back by itself when its controller was away, and says so meanwhile", async ({ world: { stack, url }, open }) => {
    const { page, errors } = await open();
    await signIn(page, url, "board");
    await stack.controller(0).stop();
    await page
      .getByRole("alert")
      .getByText(/^Not live/)
      .waitFor();
    await stack.startController(0);
    await page.getByText(/^Controller controller-0 leads/).waitFor();
    await page
      .getByRole("alert")
      .getByText(/^Not live/)
      .waitFor({ state: "detached" });
    expect(errors.splice(0).filter((text) => !OF_NETWORK.test(text))).toEqual([]);
  });
});
