import { useState } from "preact/hooks";
import { duration } from "../../told/format.ts";
import type { Sidecar } from "../model.ts";
import { type Session, useNow } from "../session.ts";
import { CommandDialog } from "./command-dialog.tsx";
import { Table } from "./parts.tsx";

/** The sidecars: which rules each obeys, since when, and when it was heard. */
export function FleetView({ session }: { readonly session: Session }) {
  const { sidecars, you } = session.model;
  const nowMs = useNow(session.model);
  const [forgotten, setForgotten] = useState<string>();
  const behind = sidecars.filter(({ heard, isCurrent }) => heard && !isCurrent).length;
  const silent = sidecars.filter(({ heard }) => !heard).length;
  return (
    <>
      <h1 tabIndex={-1}>Fleet</h1>
      <p>
        {sidecars.length} known, {silent} not heard lately, {behind} without the newest rules.
      </p>
      {sidecars.length > 0 && (
        <Table label="Sidecars" heads={["Sidecar", "State", "Rules", "Obeyed for", "Heard", "Labels", "Verb"]}>
          {sidecars.map((sidecar) => (
            <Row key={sidecar.id} sidecar={sidecar} nowMs={nowMs} onForget={you?.role === "operate" ? setForgotten : undefined} />
          ))}
        </Table>
      )}
      {forgotten !== undefined && (
        <CommandDialog
          session={session}
          path={`v1/sidecars/${encodeURIComponent(forgotten)}/forget`}
          title={`Forget ${forgotten}`}
          does="Waits for it no more: for a sidecar that is gone for good."
          onClose={() => setForgotten(undefined)}
        />
      )}
    </>
  );
}

interface RowParts {
  readonly sidecar: Sidecar;
  readonly nowMs: number;
  readonly onForget: ((id: string) => void) | undefined;
}

function Row({ sidecar: { id, heard, state, isCurrent, problem, obeys, heardAtMs, labels }, nowMs, onForget }: RowParts) {
  const standing = state === null ? "not heard" : isCurrent ? state : `${state}, old rules`;
  return (
    <tr data-sidecar={id}>
      <th scope="row">{id}</th>
      <td>
        <span class={`badge ${state === "ok" && isCurrent ? "advance" : heard ? "rollback" : "unknown"}`}>{standing}</span>
        {problem !== null && <bdi class="bad"> refuses rules: {problem}</bdi>}
      </td>
      <td class="number">{obeys === null ? "–" : `${obeys.epoch}.${obeys.revision}`}</td>
      <td class="number">{obeys === null ? "–" : duration(nowMs - obeys.sinceMs)}</td>
      <td class="number">{heardAtMs === null ? "–" : `${duration(nowMs - heardAtMs)} ago`}</td>
      <td>
        {Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(", ")}
      </td>
      <td>
        {!heard && (
          <button type="button" disabled={onForget === undefined} onClick={() => onForget?.(id)}>
            Forget
          </button>
        )}
      </td>
    </tr>
  );
}
