import { useState } from "preact/hooks";
import { duration } from "../../told/format.ts";
import type { RolloutEvent } from "../model.ts";
import { type Session, useNow } from "../session.ts";
import { CommandDialog } from "./command-dialog.tsx";
import { ShareBar, Table, VerdictBadge } from "./parts.tsx";

/** All rollouts, and what holds them all. */
export function RolloutsView({ session }: { readonly session: Session }) {
  const { model } = session;
  const nowMs = useNow(model);
  const rollouts = [...model.rollouts.values()].toSorted((a, b) => (a.rollout.name < b.rollout.name ? -1 : 1));
  return (
    <>
      <h1 tabIndex={-1}>Rollouts</h1>
      <p class="faint">
        {model.mesh?.leader ? `Controller ${model.mesh.leader.holder} leads (term ${model.mesh.leader.term}).` : "Nobody leads."}{" "}
        {model.sidecars.length} {model.sidecars.length === 1 ? "sidecar" : "sidecars"} known.
      </p>
      <Freeze session={session} />
      {rollouts.length === 0 ? (
        <p>{model.mesh === undefined ? "Waiting for the picture…" : "No rollouts. Apply one with `serin apply -f FILE`."}</p>
      ) : (
        <Table label="Rollouts" heads={["Rollout", "Where it stands", "Share", "Verdict", "For"]}>
          {rollouts.map((each) => (
            <Row key={each.rollout.name} event={each} nowMs={nowMs} />
          ))}
        </Table>
      )}
    </>
  );
}

function Row({ event: { rollout, phase }, nowMs }: { readonly event: RolloutEvent; readonly nowMs: number }) {
  return (
    <tr data-rollout={rollout.name}>
      <th scope="row">
        <a href={`#/rollouts/${encodeURIComponent(rollout.name)}`}>{rollout.name}</a>
      </th>
      <td>
        <bdi>{phase}</bdi>
      </td>
      <td>
        <ShareBar setBp={rollout.shareBp} seenBp={rollout.judge?.shareSeenBp} />
      </td>
      <td>
        <VerdictBadge verdict={rollout.judge?.verdict?.verdict} />
      </td>
      <td class="number">{duration(nowMs - rollout.plan.sinceMs)}</td>
    </tr>
  );
}

function Freeze({ session }: { readonly session: Session }) {
  const [isAsked, setAsked] = useState(false);
  const isFrozen = session.model.mesh?.freeze != null;
  const verb = isFrozen
    ? { path: "v1/unfreeze", title: "Unfreeze the mesh", does: "Rollouts may advance again." }
    : { path: "v1/freeze", title: "Freeze the mesh", does: "Nothing advances in the whole mesh; what goes back still does." };
  return (
    <p class="buttons">
      <button type="button" disabled={session.model.you?.role !== "operate"} onClick={() => setAsked(true)}>
        {isFrozen ? "Unfreeze" : "Freeze"}
      </button>
      {isAsked && <CommandDialog session={session} {...verb} onClose={() => setAsked(false)} />}
    </p>
  );
}
