import { useEffect } from "preact/hooks";
import type { CheckRecord } from "../../contract/verdict.ts";
import { duration, figure, odds, ratio, share } from "../../told/format.ts";
import type { RolloutEvent } from "../model.ts";
import { type Session, useNow } from "../session.ts";
import { CheckCharts, ShareChart } from "./charts.tsx";
import { Moment, ShareBar, Table, VerdictBadge } from "./parts.tsx";
import { Stages } from "./stages.tsx";
import { VerbButtons } from "./verb-buttons.tsx";

/** One rollout: where it stands, what it may do next, how it does, and what happened. */
export function RolloutView({ name, session }: { readonly name: string; readonly session: Session }) {
  const { model, api, change } = session;
  useEffect(() => {
    // What was before the page was opened; without it the page shows what comes.
    const missing = (): void => undefined;
    api?.series(name).then(({ points }) => change({ type: "series", of: name, points }), missing);
    api?.audit(name).then((lines) => change({ type: "lines", of: name, lines }), missing);
  }, [name, model.you]);
  const event = model.rollouts.get(name);
  if (event === undefined)
    return (
      <>
        <h1 tabIndex={-1}>{name}</h1>
        <p>{model.mesh === undefined ? "Waiting for the picture…" : "There is no rollout of this name; it may have been deleted."}</p>
      </>
    );
  return (
    <>
      <h1 tabIndex={-1}>{name}</h1>
      <Standing event={event} session={session} />
      <VerbButtons event={event} session={session} />
      <Stages event={event} />
      <section>
        <h2>Share</h2>
        <ShareChart points={model.series.get(name) ?? []} />
      </section>
      <Checks event={event} session={session} />
      <Happened lines={model.audit.get(name) ?? []} />
    </>
  );
}

function Standing({ event: { rollout, phase, lines }, session }: { readonly event: RolloutEvent; readonly session: Session }) {
  const nowMs = useNow(session.model);
  const { judge, plan, shareBp } = rollout;
  return (
    <section class="card" aria-label="Where it stands">
      <p class="phase">
        <bdi>{phase}</bdi>
      </p>
      <p>
        <ShareBar setBp={shareBp} seenBp={judge?.shareSeenBp} /> · run {plan.run} · for {duration(nowMs - plan.sinceMs)}
      </p>
      <p>
        <VerdictBadge verdict={judge?.verdict?.verdict} /> <bdi>{judge?.verdict?.reason}</bdi>
      </p>
      {judge?.verdict != null && (
        <p class="faint">
          The evidence calls {share(judge.verdict.safeShareBp)} safe; {judge.verdict.proven}. Stable: {judge.totals.stable.requests}{" "}
          requests, {judge.totals.stable.failed} failed. Canary: {judge.totals.canary.requests} requests, {judge.totals.canary.failed}{" "}
          failed.
        </p>
      )}
      {lines.map((line) => (
        <p key={line}>
          <bdi>{line}</bdi>
        </p>
      ))}
    </section>
  );
}

function Checks({ event: { rollout }, session: { model } }: { readonly event: RolloutEvent; readonly session: Session }) {
  const checks = rollout.judge?.verdict?.checks ?? [];
  return (
    <section>
      <h2>Checks</h2>
      {checks.length === 0 ? <p>Nothing is judged yet.</p> : <CheckCharts points={model.series.get(rollout.name) ?? []} checks={checks} />}
      {checks.length > 0 && (
        <Table label="Checks" heads={["Check", "Stable", "Canary", "At most worse by", "Tolerated", "Odds of harm", "Verdict"]}>
          {checks.map((check) => (
            <CheckRow key={check.name} check={check} />
          ))}
        </Table>
      )}
    </section>
  );
}

function CheckRow({ check: { name, stable, canary, upper, threshold, odds: harm, verdict, isRatio } }: { readonly check: CheckRecord }) {
  const text = isRatio === false ? figure : ratio;
  return (
    <tr>
      <th scope="row">
        <bdi>{name}</bdi>
      </th>
      <td class="number">{text(stable)}</td>
      <td class="number">{text(canary)}</td>
      <td class="number">{text(upper)}</td>
      <td class="number">{text(threshold)}</td>
      <td class="number">{isRatio === false ? "–" : odds(harm)}</td>
      <td>
        <VerdictBadge verdict={verdict} />
      </td>
    </tr>
  );
}

type Lines = NonNullable<ReturnType<Session["model"]["audit"]["get"]>>;

/** The audit, the newest first. */
const Happened = ({ lines }: { readonly lines: Lines }) => (
  <section>
    <h2>What happened</h2>
    <Table label="What happened" heads={["When", "What", "Share", "Who", "Why"]}>
      {lines.toReversed().map(({ id, atMs, action, shareBp, who, reason }) => (
        <tr key={id}>
          <td class="number">
            <Moment ms={atMs} />
          </td>
          <th scope="row">{action}</th>
          <td class="number">{share(shareBp)}</td>
          <td>
            <bdi>{who.name}</bdi>
            {who.claimed ? " (claimed)" : ""}
          </td>
          <td>
            <bdi>{reason}</bdi>
          </td>
        </tr>
      ))}
    </Table>
  </section>
);
