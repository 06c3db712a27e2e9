import type { PlanState } from "../../contract/live.ts";
import type { Key } from "./keys.ts";

/** What keys ask of the leader. */
export type KeyVerb = "promote" | "pause" | "resume" | "abort";

/** Where a person is: looking, or asked for a reason before something is done. */
export interface Controls {
  /** The rollout that is shown whole; undefined for the list of all. */
  readonly shown: string | undefined;
  /** The one that Enter would show. */
  readonly chosen: string | undefined;
  readonly asked: { readonly verb: KeyVerb; readonly rollout: string; readonly typed: string } | undefined;
}

/** What there is to choose from. */
interface Around {
  /** Rollouts in the order of the list. */
  readonly names: readonly string[];
  /** True where the list may be shown: no single rollout was asked for. */
  readonly hasList: boolean;
  phaseOf(rollout: string): PlanState["phase"] | undefined;
}

/** What a key leads to. */
export interface Pressed {
  readonly controls: Controls;
  readonly quits?: true;
  /** A question was answered with Enter. */
  readonly does?: { readonly verb: KeyVerb; readonly rollout: string; readonly reason: string };
}

/** Takes a key. */
export function press(controls: Controls, key: Key, around: Around): Pressed {
  if (key.type === "interrupt") return { controls, quits: true };
  return controls.asked === undefined ? pressLooking(controls, key, around) : pressAsked(controls, controls.asked, key);
}

function pressAsked(controls: Controls, asked: NonNullable<Controls["asked"]>, key: Key): Pressed {
  const typing = (typed: string): Pressed => ({ controls: { ...controls, asked: { ...asked, typed } } });
  switch (key.type) {
    case "text":
      return typing(asked.typed + key.text);
    case "erase":
      return typing(Array.from(asked.typed).slice(0, -1).join(""));
    case "escape":
      return { controls: { ...controls, asked: undefined } };
    case "enter":
      return {
        controls: { ...controls, asked: undefined },
        does: { verb: asked.verb, rollout: asked.rollout, reason: asked.typed.trim() },
      };
    case "up":
    case "down":
    case "interrupt":
    case "other":
      return { controls };
  }
}

function pressLooking(controls: Controls, key: Key, { names, hasList, phaseOf }: Around): Pressed {
  const { shown, chosen } = controls;
  switch (key.type) {
    case "up":
    case "down": {
      if (shown !== undefined) return { controls };
      const at = names.indexOf(chosen ?? "") + (key.type === "up" ? -1 : 1);
      return { controls: { ...controls, chosen: names[Math.max(0, Math.min(names.length - 1, at))] } };
    }
    case "enter":
      return { controls: { ...controls, shown: shown ?? chosen } };
    case "escape":
      return { controls: hasList ? { ...controls, shown: undefined } : controls };
    case "text": {
      if (key.text === "q") return { controls, quits: true };
      const verb = shown === undefined ? undefined : verbOf(key.text, phaseOf(shown));
      return verb === undefined || shown === undefined
        ? { controls }
        : { controls: { ...controls, asked: { verb, rollout: shown, typed: "" } } };
    }
    case "erase":
    case "interrupt":
    case "other":
      return { controls };
  }
}

function verbOf(text: string, phase: PlanState["phase"] | undefined): KeyVerb | undefined {
  switch (text) {
    case "n":
      return "promote";
    case "p":
      return phase === "paused" ? "resume" : "pause";
    case "a":
      return "abort";
    default:
      return undefined;
  }
}

const WHAT: Readonly<Record<KeyVerb, string>> = {
  promote: "goes to its next step now; of a test of several, everyone gets the first",
  pause: "stays at its share, and is judged on",
  resume: "goes on",
  abort: "sends everyone back to stable",
};

/** What a person is asked. */
export const questionText = ({ verb, rollout }: NonNullable<Controls["asked"]>): string => `${verb}: ${rollout} ${WHAT[verb]}.`;

/** The keys that do something now. */
export const keysText = ({ shown }: Controls, { hasList }: Pick<Around, "hasList">): string =>
  shown === undefined
    ? "↑ ↓ choose   Enter shows it   q quits"
    : `n promotes   p pauses or resumes   a aborts   ${hasList ? "Esc shows all   " : ""}q quits`;
