import { createHash } from "node:crypto";
import { type EventsV1Event, V1MicroTime } from "@kubernetes/client-node";
import type { Audit } from "../../contract/messages.ts";
import { STABLE } from "../../contract/names.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { noticeOf } from "../../told/notice.ts";

/** The object that an Event is about. */
export interface Regarding {
  readonly apiVersion: "v1";
  readonly kind: "Service" | "Pod";
  readonly namespace: string;
  readonly name: string;
}

/** Actions that somebody should look at. */
const BAD: ReadonlySet<string> = new Set(["rollback", "rolledBack", "overdue", "reflex", "refused"]);
/** The API takes no longer note, in bytes. */
const MAX_NOTE = 1_024;

/** The Service of a rollout's canary, or of any other variant, stable's at last; undefined where it names none. */
export function serviceOf(rollout: Pick<Rollout, "kubernetes"> | undefined): Regarding | undefined {
  const { namespace, services = {} } = rollout?.kubernetes ?? {};
  const variant = Object.keys(services).find((name) => name !== STABLE) ?? STABLE;
  const name = services[variant];
  return namespace === undefined || name === undefined ? undefined : { apiVersion: "v1", kind: "Service", namespace, name };
}

/** A line of the audit as an Event (events.k8s.io/v1). Its name follows from the line's id: a repeat is there already. */
export function eventOf(line: Audit, regarding: Regarding, controller: string): EventsV1Event {
  const { id, action, rollout = "mesh", atMs } = line;
  const reason = `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `${rollout}.${createHash("sha256").update(id).digest("hex").slice(0, 20)}`, namespace: regarding.namespace },
    eventTime: new V1MicroTime(atMs),
    reportingController: "serin/controller",
    reportingInstance: controller.slice(0, 128),
    action: reason,
    reason,
    regarding,
    note: shortened(noticeOf(line, undefined).text),
    type: BAD.has(action) ? "Warning" : "Normal",
  };
}

function shortened(text: string): string {
  let length = Math.min(text.length, MAX_NOTE);
  while (Buffer.byteLength(text.slice(0, length)) > MAX_NOTE - 3) length -= 1;
  return length === text.length ? text : `${text.slice(0, length)}…`;
}
