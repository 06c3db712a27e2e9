import * as z from "zod";
import { SidecarIdSchema } from "../contract/messages.ts";
import type { Deadlines } from "../core/plan/deadlines.ts";
import { NatsFlagsShape } from "../io/nats-flags.ts";

const DeadlineMs = z.int().min(1).exactOptional();
const DeadlinesSchema = z.strictObject({
  pendingMs: DeadlineMs,
  stageMs: DeadlineMs,
  pausedMs: DeadlineMs,
  promotingMs: DeadlineMs,
  promotedMs: DeadlineMs,
  rollingBackMs: DeadlineMs,
} satisfies Record<keyof Deadlines, unknown>);

const KubernetesOptionsSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "not an address; write one like http://127.0.0.1:8001" })
    .optional()
    .describe("Of the API, where nobody logs in; by the kubeconfig, else by this pod's account when absent."),
  kubeconfig: z.array(z.string().min(1)).min(1).optional().describe("Files that say where the API is and how to log in."),
  context: z.string().min(1).optional().describe("Which of their contexts; the current one when absent."),
  pod: z.string().min(1).optional().describe("Name of the controller's own pod; Events of what has no Service are about it."),
  watchMs: z.int().min(1_000).default(60_000).describe("How long a watch lasts before it begins anew."),
});

export type KubernetesOptions = Readonly<z.output<typeof KubernetesOptionsSchema>>;

/** Options of one controller; durations in milliseconds. */
export const ControllerOptionsSchema = z.strictObject({
  id: SidecarIdSchema.describe("Name of this controller in the lease and in the audit; another one for each."),
  ...NatsFlagsShape,
  natsReplicas: z
    .union(
      [z.literal(1), z.literal(3), z.literal(5)],
      "write 1, 3 or 5: with an even number no more servers may be away than with one less",
    )
    .default(1)
    .describe("Servers of a NATS cluster that keep each stream which this controller makes; streams that exist stay as they are."),
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
    .regex(/^((\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):)?\d{1,5}$/, "not an address; write HOST:PORT, or a port of 127.0.0.1")
    .transform((text) => (text.includes(":") ? text : `127.0.0.1:${text}`))
    .optional()
    .describe("`HOST:PORT` of health, metrics and the HTTP API, or a port of 127.0.0.1; none when absent."),
  tokens: z
    .string()
    .min(1)
    .optional()
    .describe("File of those who may use the HTTP API, and vouch for commands, as `serin token` prints lines; nobody may when absent."),
  notifySecrets: z.string().min(1).optional().describe("Folder of secrets of notifications, a file each, named as the policy names them."),
  otlp: z.boolean().default(false).describe("Push metrics and traces by the standard OTEL_* variables."),
  kubernetes: KubernetesOptionsSchema.optional().describe("Read readiness of endpoints and write Events there; neither when absent."),
  publicUrl: z
    .url({ protocol: /^https?$/, error: "not an address; write one like https://serin.example" })
    .transform((text) => text.replace(/\/+$/, ""))
    .optional()
    .describe("Where people reach the HTTP API; messages link there."),
});

export type ControllerOptions = z.input<typeof ControllerOptionsSchema>;
export type ControllerSettings = Readonly<z.output<typeof ControllerOptionsSchema>>;
