import type { Audit } from "../../contract/messages.ts";
import type { Clock } from "../../io/clock.ts";
import type { Logger } from "../../io/log.ts";
import type { NotifierParts } from "../notify/notifier.ts";
import type { ControllerSettings } from "../options.ts";
import type { Seat } from "../seats.ts";
import type { Kubernetes } from "./kubernetes.ts";

/** Loads what speaks to Kubernetes, only where it is asked for. Throws UsageError where a kubeconfig leads nowhere. */
export async function openKubernetes(
  { kubernetes, id }: ControllerSettings,
  parts: Readonly<{ clock: Clock; log: Logger }>,
): Promise<Kubernetes | undefined> {
  if (kubernetes === undefined) return undefined;
  const [{ Kubernetes }, { loginOf }] = await Promise.all([import("./kubernetes.ts"), import("./login.ts")]);
  return new Kubernetes(kubernetes, { ...parts, id, config: loginOf(kubernetes) });
}

/** Writes changes of a term's rollouts as Events; undefined where nobody asks for them. */
export const eventTeller = (
  kubernetes: Kubernetes | undefined,
  term: Readonly<{ seatOf(name: string): Seat | undefined }>,
): NotifierParts["tellEvent"] =>
  kubernetes && ((line: Audit, signal: AbortSignal) => kubernetes.tell(line, term.seatOf(line.rollout ?? "")?.rollout, signal));
