import { inboxPrefix, STREAMS, SUBJECTS } from "./names.ts";

/** Users of NATS that Serin knows. */
export const NATS_ROLES = ["sidecar", "controller", "operator", "viewer"] as const;
export type NatsRole = (typeof NATS_ROLES)[number];

/** Subjects that a role may use, and no others; with NATS's wildcards. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whether it may answer what it was asked. */
  readonly answers: boolean;
}

const api = (what: string): string => `$JS.API.${what}`;
/** Reads the last message of these subjects. */
const last = (stream: string, subject: string): string => api(`DIRECT.GET.${stream}.${subject}`);
/** Reads any message of a stream. */
const any = (stream: string): string => api(`DIRECT.GET.${stream}`);
const consumers = (what: string): string => api(`CONSUMER.${what}.${STREAMS.audit}`);

const { state, plans, audit, kills, presence, ticks } = STREAMS;
const inbox = (role: NatsRole): string => `${inboxPrefix(role)}.>`;

const READS = [
  api(`STREAM.INFO.${state}`),
  last(state, SUBJECTS.allState),
  last(plans, SUBJECTS.allPlans),
  any(plans),
  any(audit),
  any(kills),
  last(ticks, SUBJECTS.allTicks),
  any(ticks),
];
const HEARS = [SUBJECTS.push(SUBJECTS.live("*")), SUBJECTS.push(SUBJECTS.judge("*")), SUBJECTS.allReceipts, SUBJECTS.allAudit];

const sidecar: NatsPermissions = {
  publish: [
    SUBJECTS.allReceipts,
    SUBJECTS.allPresence,
    SUBJECTS.allEvidence,
    SUBJECTS.allFailing,
    SUBJECTS.allMix,
    ...[SUBJECTS.lease, SUBJECTS.manifest, SUBJECTS.blob("*")].map((subject) => last(state, subject)),
    any(kills),
  ],
  subscribe: [SUBJECTS.push(SUBJECTS.manifest), SUBJECTS.push(SUBJECTS.lease), SUBJECTS.allKills, inbox("sidecar")],
  answers: false,
};

const controller: NatsPermissions = {
  publish: [
    SUBJECTS.allPlans,
    SUBJECTS.allState,
    SUBJECTS.allAudit,
    SUBJECTS.allTicks,
    // Of their pages, which ask whoever leads.
    SUBJECTS.command,
    SUBJECTS.series,
    SUBJECTS.allFeedback,
    api("INFO"),
    ...Object.values(STREAMS).flatMap((stream) => [api(`STREAM.INFO.${stream}`), api(`STREAM.CREATE.${stream}`)]),
    ...[state, plans].flatMap((stream) => [api(`STREAM.MSG.GET.${stream}`), api(`STREAM.PURGE.${stream}`)]),
    last(state, SUBJECTS.allState),
    last(plans, SUBJECTS.allPlans),
    any(plans),
    last(audit, SUBJECTS.allAudit),
    any(audit),
    last(presence, SUBJECTS.allPresence),
    any(kills),
    // Notifications are told from the audit.
    consumers("LIST"),
    ...["CREATE", "INFO", "DELETE", "MSG.NEXT"].map((what) => `${consumers(what)}.*`),
    `$JS.ACK.${audit}.>`,
  ],
  subscribe: [
    SUBJECTS.command,
    SUBJECTS.series,
    SUBJECTS.allReceipts,
    SUBJECTS.allEvidence,
    SUBJECTS.allFailing,
    SUBJECTS.allMix,
    SUBJECTS.allFeedback,
    SUBJECTS.allKills,
    SUBJECTS.allPush,
    SUBJECTS.rolloutPlans,
    SUBJECTS.allAudit,
    inbox("controller"),
  ],
  answers: true,
};

/** What each role needs and nothing else: subjects, JetStream's API and inboxes. */
export const NATS_PERMISSIONS: Readonly<Record<NatsRole, NatsPermissions>> = {
  sidecar,
  controller,
  operator: {
    publish: [
      SUBJECTS.command,
      SUBJECTS.allKills,
      ...READS,
      // An order to switch off must be stored where no controller ever ran.
      api("INFO"),
      api(`STREAM.INFO.${kills}`),
      api(`STREAM.CREATE.${kills}`),
    ],
    subscribe: [...HEARS, inbox("operator")],
    answers: false,
  },
  viewer: { publish: READS, subscribe: [...HEARS, inbox("viewer")], answers: false },
};
