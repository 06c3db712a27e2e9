import type { Picture, RolloutPicture } from "../../contract/picture.ts";
import type { CheckRecord } from "../../contract/verdict.ts";
import { duration, figure, odds, ratio, share } from "../../told/format.ts";
import { phaseText } from "../../told/phase-text.ts";
import { meshLines, noteLines } from "../status.ts";
import { bar, sparkline } from "./bars.ts";
import type { Line, Style } from "./lines.ts";
import { stepLines } from "./steps.ts";

/** What a person is asked before something is done. */
export interface Question {
  readonly text: string;
  /** The reason, as far as it is typed. */
  readonly typed: string;
}

/** Everything that the screen shows. */
export interface View {
  readonly picture: Picture;
  readonly nowMs: number;
  /** The rollout that is shown whole; undefined for the list of all. */
  readonly shown: string | undefined;
  /** The one that Enter would show. */
  readonly chosen: string | undefined;
  /** Check → its differences as they were seen, oldest first; null where it had none. */
  historyOf(rollout: string): ReadonlyMap<string, readonly (number | null)[]>;
  /** What happened, oldest first. */
  readonly changes: readonly string[];
  readonly question: Question | undefined;
  /** How the last command ended. */
  readonly said: string | undefined;
  readonly keys: string;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Fewest lines of what happened, as long as there are so many rows. */
const LEAST_CHANGES = 3;

/** The lines of the screen, the last one the keys or what is asked; as many as there are rows at most. */
export function screenLines(view: View, { columns, rows }: Size): Line[] {
  const rollout = view.picture.rollouts.find(({ name }) => name === view.shown);
  const body = rollout === undefined ? listLines(view, rows) : rolloutLines(rollout, view, columns);
  const head = [headLine(view, columns), ...meshLines(view.picture, view.nowMs).map(meshLine), [], ...body, []];
  const foot = footLines(view);
  const room = rows - head.length - foot.length;
  const changes = view.changes.slice(-Math.max(LEAST_CHANGES, room)).map((change): Line => [[change, "dim"]]);
  return [...[...head, ...changes].slice(0, rows - foot.length), ...foot];
}

function headLine({ shown, nowMs }: View, columns: number): Line {
  const left = shown === undefined ? "serin" : `serin · ${shown}`;
  const right = `${new Date(nowMs).toISOString().slice(11, 19)} UTC`;
  return [[left, "bold"], right.padStart(Math.max(right.length + 1, columns - left.length))];
}

const BAD = /no controller leads|missing the newest|not heard|refuses rules|is (stale|unwatched)/;

const meshLine = (text: string): Line => (BAD.test(text) ? [[text, "red"]] : [text]);

const STYLES: Partial<Record<RolloutPicture["plan"]["phase"], Style>> = {
  rollingBack: "red",
  rolledBack: "red",
  gate: "yellow",
  paused: "yellow",
  decision: "yellow",
  promoted: "green",
  handedOver: "green",
};

const phasePiece = (rollout: RolloutPicture): [string, Style] => [phaseText(rollout), STYLES[rollout.plan.phase] ?? "bold"];

const ENDED = new Set(["rolledBack", "handedOver"]);

/** Rollouts as the list has them: those under way first, by name each. */
export const inListOrder = (rollouts: readonly RolloutPicture[]): RolloutPicture[] =>
  [false, true].flatMap((isEnded) => rollouts.filter(({ plan }) => ENDED.has(plan.phase) === isEnded));

function listLines({ picture, chosen }: View, rows: number): Line[] {
  const rollouts = inListOrder(picture.rollouts);
  if (rollouts.length === 0) return [["no rollouts"]];
  const width = Math.max(...rollouts.map(({ name }) => name.length));
  const room = Math.max(1, rows - LEAST_CHANGES - 8);
  const at = rollouts.findIndex(({ name }) => name === chosen);
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), rollouts.length - room));
  const lines = rollouts.slice(from, from + room).map((rollout): Line => {
    const { name, judge, shareBp } = rollout;
    const verdict = judge?.verdict === null || judge === null ? "" : `  ${judge.verdict.verdict}, odds of harm ${odds(judge.verdict.odds)}`;
    const label = `${name === chosen ? "▶" : " "} ${name.padEnd(width)}`;
    return [name === chosen ? [label, "inverse"] : label, `  ${share(shareBp).padStart(6)}  `, phasePiece(rollout), verdict];
  });
  const others = rollouts.length - lines.length;
  return others === 0 ? lines : [...lines, [[`  and ${others} more`, "dim"]]];
}

function rolloutLines(rollout: RolloutPicture, view: View, columns: number): Line[] {
  const { plan, judge, shareBp } = rollout;
  const barColumns = Math.max(10, Math.min(50, columns - 24));
  const shareLine = (name: string, bp: number | null | undefined): Line => [
    `  ${name}  ${bar((bp ?? 0) / 10_000, barColumns)} ${share(bp)}`,
  ];
  return [
    [phasePiece(rollout), `, for ${duration(view.nowMs - plan.sinceMs)}, run ${plan.run}`],
    ...stepLines(rollout, view.nowMs),
    ...noteLines(rollout, view.nowMs).map((text): Line => [text]),
    shareLine("share set ", shareBp),
    shareLine("share seen", judge?.shareSeenBp),
    ...verdictLines(rollout, view),
  ];
}

function verdictLines({ name, judge }: RolloutPicture, view: View): Line[] {
  const verdict = judge?.verdict ?? null;
  if (verdict === null) return [["  no verdict yet"]];
  const style: Style = verdict.verdict === "rollback" ? "red" : verdict.verdict === "advance" ? "green" : "yellow";
  const history = view.historyOf(name);
  const width = Math.max("check".length, ...verdict.checks.map((check) => check.name.length));
  const head = `  ${"check".padEnd(width)}  ${COLUMNS.map((title) => title.padStart(CELL)).join("")}  over time (middle: tolerated)`;
  return [
    ["  ", [verdict.verdict, style], `, safe share ${share(verdict.safeShareBp)}: ${verdict.reason}`],
    [[head, "dim"]],
    ...verdict.checks.map((check) => checkLine(check, width, history.get(check.name) ?? [])),
  ];
}

const COLUMNS = ["stable", "canary", "tolerated", "odds"];
const CELL = 11;
const SPARK_COLUMNS = 32;

function checkLine(check: CheckRecord, width: number, history: readonly (number | null)[]): Line {
  const text = check.isRatio === false ? figure : ratio;
  const cells = [text(check.stable), text(check.canary), text(check.threshold), check.isRatio === false ? "–" : odds(check.odds)];
  const isOver = check.difference !== null && check.difference > check.threshold;
  return [
    `  ${check.name.padEnd(width)}  ${cells.map((cell) => cell.padStart(CELL)).join("")}  `,
    [sparkline(history, check.threshold, SPARK_COLUMNS), isOver ? "red" : "green"],
  ];
}

function footLines({ question, said, keys }: View): Line[] {
  if (question !== undefined)
    return [[[`${question.text} Enter does it, with a reason or none; Esc leaves it.`, "yellow"]], ["reason: ", question.typed, "▏"]];
  return [...(said === undefined ? [] : [[[said, "yellow"]] satisfies Line]), [[keys, "dim"]]];
}
