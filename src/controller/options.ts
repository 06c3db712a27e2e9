import { z } from "zod";
import { SidecarIdSchema } from "../contract/messages.ts";
import type { Deadlines } from "../core/plan/deadlines.ts";

const DeadlineMs = z.int().min(1).exactOptional();
const DeadlinesSchema = z.strictObject({
  pendingMs: DeadlineMs,
  stageMs: DeadlineMs,
  pausedMs: DeadlineMs,
  promotingMs: DeadlineMs,
  promotedMs: DeadlineMs,
  rollingBackMs: DeadlineMs,
} satisfies Record<keyof Deadlines, unknown>);

/** Options of one controller; durations in milliseconds. */
export const ControllerOptionsSchema = z.strictObject({
  id: SidecarIdSchema.describe("Name of this controller in the lease and in the audit; another one for each."),
  nats: z.string().min(1).describe("`nats://host:port`, several by comma."),
  renewMs: z
    .int()
    .min(20)
    .default(1_000)
    .describe("How often the leader renews its lease; each renewal is the beat that sidecars wait for."),
  leaseMs: z.int().min(100).default(4_000).describe("A standby takes over when the lease has not changed for so long."),
  tickMs: z.int().min(10).default(500).describe("How often deadlines are looked at."),
  judgeWriteMs: z.int().min(0).default(1_000).describe("Shortest time between two writes of what the judge knows, but for a new verdict."),
  purgeAfterMs: z.int().min(0).default(600_000).describe("How long a blob that no manifest names is kept."),
  deadlines: DeadlinesSchema.default({}).describe("Deadlines of the plan, where they differ from those of production."),
  prometheus: z
    .url({ protocol: /^https?$/, error: "not an address; write http://HOST:PORT" })
    .optional()
    .describe("Prometheus-compatible server whose counts are judged in place of those that sidecars send; those when absent."),
  prometheusEveryMs: z.int().min(100).default(5_000).describe("How often it is asked; the interval of its scrapes."),
  operatorKeys: z.string().min(1).optional().describe("File with the public keys (Ed25519, PEM) of operators who may switch off."),
  checksPrometheus: z
    .url({ protocol: /^https?$/, error: "not an address; write one like http://prometheus:9090" })
    .optional()
    .describe("Server that the queries of rollouts' own checks go to, where these name no other."),
  checkSecrets: z.string().min(1).optional().describe("Folder of secrets of own checks, a file each, named as checks name them."),
  checkMs: z.int().min(10).default(10_000).describe("Time between two rounds of queries of own checks."),
  feedbackTokenFile: z
    .string()
    .min(1)
    .optional()
    .describe("File of tokens, one a line, of those who may send feedback by HTTP; nobody may when absent."),
  http: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):\d{1,5}$/, "not an address; write HOST:PORT")
    .optional()
    .describe("`HOST:PORT` of health and metrics; none when absent."),
});

export type ControllerOptions = z.input<typeof ControllerOptionsSchema>;
export type ControllerSettings = Readonly<z.output<typeof ControllerOptionsSchema>>;
