import { UsageError } from "../contract/errors.ts";
import { EXIT, type ExitCode } from "../contract/exit-codes.ts";
import type { FailingUsers, VariantFailingUsers } from "../contract/failing-users.ts";
import type { Totals } from "../contract/live.ts";
import type { Picture, RolloutPicture } from "../contract/picture.ts";
import type { CheckRecord } from "../contract/verdict.ts";
import { OVERDUE_MS } from "../core/judge/parameters.ts";
import type { NatsFlags } from "../io/nats-access.ts";
import { duration, figure, odds, ratio, share, table } from "../told/format.ts";
import { keepingLines } from "../told/keeping-text.ts";
import { orderLine } from "../told/order-text.ts";
import { phaseText } from "../told/phase-text.ts";
import { LISTEN_MS, readPicture } from "../told/picture.ts";
import { reportLines } from "../told/report-text.ts";
import { standingLines } from "../told/standing-text.ts";
import { withNats } from "./connection.ts";
import { mixLines } from "./mix-lines.ts";
import type { CliParts } from "./parts.ts";

export interface StatusFlags extends NatsFlags {
  readonly json?: boolean;
}

/** Shows how things stand, also when nobody leads; 3 when the rollout that was asked for is rolled back. */
export async function status(name: string | undefined, flags: StatusFlags, parts: CliParts): Promise<ExitCode> {
  const picture = await withNats(flags, (link) => readPicture(link, { name, nowMs: parts.nowMs, listenMs: LISTEN_MS }));
  if (name !== undefined && picture.rollouts.length === 0) throw noSuchRollout(name);
  parts.out(flags.json === true ? `${JSON.stringify(picture)}\n` : statusText(picture, parts.nowMs()));
  const phase = name === undefined ? undefined : picture.rollouts[0]?.plan.phase;
  return phase === "rolledBack" || phase === "rollingBack" ? EXIT.rolledBack : EXIT.done;
}

/** A name that nobody applied. */
export const noSuchRollout = (name: string): UsageError =>
  new UsageError(`there is no rollout ${name}; \`serin status\` names those that there are`);

/** The picture as text. */
export function statusText(picture: Picture, nowMs: number): string {
  const lines = meshLines(picture, nowMs);
  if (picture.rollouts.length === 0) lines.push("no rollouts");
  for (const rollout of picture.rollouts) lines.push("", ...rolloutLines(rollout, nowMs));
  return `${lines.join("\n")}\n`;
}

/** How things stand beside the rollouts: freeze, NATS, leader, sidecars, orders to switch off. */
export function meshLines({ leader, sidecars, rollouts, orders, freeze, nats }: Picture, nowMs: number): string[] {
  const lines = [
    ...(freeze === null ? [] : [`${freeze}: nothing advances, what goes back still does; \`serin unfreeze\` ends it`]),
    ...(nats === undefined ? [] : keepingLines(nats)),
    leader === null
      ? "no controller leads: nothing advances, and shares go home unless a beat is heard"
      : `controller ${leader.holder} leads (term ${leader.term})`,
  ];
  const silent = sidecars.filter(({ heard }) => !heard).map(({ id }) => id);
  const behind = sidecars.filter(({ heard, isCurrent }) => heard && !isCurrent).map(({ id }) => id);
  // Every second while a canary is live; at other times receipts are too rare to miss.
  const isLive = rollouts.some(({ shareBp }) => shareBp > 0 && shareBp < 10_000);
  lines.push(
    `${sidecars.length} ${sidecars.length === 1 ? "sidecar" : "sidecars"} known${isLive ? `, ${sidecars.length - silent.length} heard just now` : ""}`,
  );
  if (behind.length > 0) lines.push(`  missing the newest rules: ${behind.join(", ")}`);
  if (isLive && silent.length > 0)
    lines.push(`  not heard in the last moments: ${silent.join(", ")} (\`serin forget ID\` if gone for good)`);
  for (const { id, problem, state } of sidecars) {
    if (problem !== null) lines.push(`  ${id} refuses rules: ${problem}`);
    else if (state === "stale" || state === "unwatched") lines.push(`  ${id} is ${state}`);
  }
  for (const order of orders) lines.push(orderLine(order, nowMs));
  return lines;
}

function rolloutLines(rollout: RolloutPicture, nowMs: number): string[] {
  const { judge } = rollout;
  const head = `${rollout.name}: ${phaseText(rollout)}, for ${duration(nowMs - rollout.plan.sinceMs)}`;
  const lines = [head, `  share set ${share(rollout.shareBp)}, seen ${share(judge?.shareSeenBp)}, run ${rollout.plan.run}`];
  lines.push(...noteLines(rollout, nowMs));
  const mix = rollout.mix === null ? [] : mixLines(rollout.mix);
  if (rollout.report !== null) mix.unshift(...reportLines(rollout.report));
  if (judge === null) return [...lines, ...mix];
  const { verdict, totals } = judge;
  const [stable, canary] = [totalsText(totals.stable, verdict?.unended.stable), totalsText(totals.canary, verdict?.unended.canary)];
  lines.push(`  stable ${stable}; canary ${canary}`);
  if (judge.shadow !== undefined) {
    const { shadow, shadowed } = judge.shadow;
    lines.push(
      `  copied ${shadowed.requests} requests, of which ${shadowed.failed} failed on stable; the shadow ${shadow.requests}, ${shadow.failed} failed`,
    );
  }
  if (judge.source === "prometheus") lines.push("  counted by Prometheus: judged without failing users and without halves of stable");
  if (rollout.failingUsers !== null) lines.push(...failingLines(rollout.failingUsers));
  if (verdict === null) return [...lines, "  no verdict yet", ...mix];
  lines.push(`  verdict ${verdict.verdict}, safe share ${share(verdict.safeShareBp)}: ${verdict.reason}`);
  const rows = [["  check", "stable", "canary", "at most worse by", "tolerated", "odds of harm"], ...verdict.checks.map(checkRow)];
  return [...lines, table(rows), ...mix];
}

/** What else there is to say of a rollout, each line indented: what it waits for, who is behind, what it has cost. */
export const noteLines = (rollout: RolloutPicture, nowMs: number): string[] => standingLines(rollout, nowMs).map((line) => `  ${line}`);

/** Of both sides alike, as the judge compares them. */
function totalsText({ decided, settled, requests, failed }: Totals, unended = 0): string {
  const open = Math.max(0, decided - settled);
  const late = unended === 0 ? "" : `, ${unended} for more than ${OVERDUE_MS / 1_000} s`;
  return `${requests} requests, ${failed} failed${open === 0 ? "" : `, ${open} open${late}`}`;
}

function failingLines({ known, stable, canary }: FailingUsers): string[] {
  const users = ({ distinct, newlyFailing, isExact }: VariantFailingUsers): string =>
    `${isExact ? "" : "about "}${distinct}, ${newlyFailing} newly`;
  const requests = ({ requests: all, knownRequests }: VariantFailingUsers): string => `${knownRequests} of ${all}`;
  return [
    `  users that failed: stable ${users(stable)}; canary ${users(canary)}`,
    `  failing requests by the ${known} known to fail before: stable ${requests(stable)}; canary ${requests(canary)}`,
  ];
}

function checkRow({ name, stable, canary, upper, threshold, odds: harm, isRatio }: CheckRecord): string[] {
  if (isRatio !== false) return [`  ${name}`, ratio(stable), ratio(canary), ratio(upper), ratio(threshold), odds(harm)];
  return [`  ${name}`, figure(stable), figure(canary), figure(upper), stable === null ? "–" : figure(threshold), "–"];
}
