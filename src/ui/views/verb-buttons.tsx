import { useState } from "preact/hooks";
import type { RolloutEvent } from "../model.ts";
import type { Session } from "../session.ts";
import { mayUse, offered, type Verb } from "../verbs.ts";
import { CommandDialog } from "./command-dialog.tsx";

/** Variants of which a person may give everyone one: when a test is over, or by ending it. */
const choice = ({ plan: { phase }, report }: RolloutEvent["rollout"], id: Verb["id"]): readonly string[] =>
  (phase === "decision" && id.startsWith("promote")) || (phase === "trial" && id === "promote --full")
    ? (report?.measures[0]?.variants.map(({ variant }) => variant) ?? [])
    : [];

/** The verbs that make sense now; those that the token may not say are shown and cannot be pressed. */
export function VerbButtons({ event: { rollout }, session }: { readonly event: RolloutEvent; readonly session: Session }) {
  const [asked, setAsked] = useState<Verb>();
  const { phase } = rollout.plan;
  const role = session.model.you?.role ?? "view";
  const verbs = offered(phase);
  const isAllDenied = verbs.every(({ id }) => !mayUse(role, id, phase));
  return (
    <section aria-label="Verbs">
      <p class="buttons">
        {verbs.map((verb) => (
          <button
            key={verb.id}
            type="button"
            class={verb.id === "abort" ? "danger" : ""}
            title={verb.does}
            disabled={!mayUse(role, verb.id, phase)}
            onClick={() => setAsked(verb)}
          >
            {verb.label}
          </button>
        ))}
      </p>
      {isAllDenied && verbs.length > 0 && <p class="faint">Your token has the role {role}, which may only look here.</p>}
      {asked !== undefined && (
        <CommandDialog
          session={session}
          path={`v1/rollouts/${encodeURIComponent(rollout.name)}/${asked.id.split(" ", 1)[0]}`}
          title={`${asked.label} ${rollout.name}`}
          does={asked.does}
          fields={asked.id === "promote --full" ? { full: true } : {}}
          variants={choice(rollout, asked.id)}
          canOverride={asked.id.startsWith("promote")}
          onClose={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}
