import * as z from "zod";
import { isNetwork } from "../contract/conditions.ts";
import { LabelsSchema } from "../contract/groups.ts";
import { SidecarIdSchema } from "../contract/messages.ts";
import { NatsFlagsShape } from "../io/nats-flags.ts";

/** Where a server listens: a Unix socket or a host and port; port 0 lets the system choose. */
const AddressSchema = z
  .string()
  .regex(
    /^(unix:.{1,100}|(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):\d{1,5})$/,
    "not an address; write unix:PATH (at most 100 characters) or HOST:PORT",
  );

const PeerSchema = z
  .string()
  .refine(
    (text) => isNetwork(text) || /^[a-z][a-z0-9+.-]*:\/\/\S+$/.test(text),
    'not a peer; write a network like "10.0.0.0/8", or the URI of its certificate like "spiffe://shop/web"',
  );

/** Options of one sidecar; durations in milliseconds. */
export const SidecarOptionsSchema = z.strictObject({
  id: SidecarIdSchema.describe("Names this sidecar in receipts and evidence; another one for each process."),
  extProc: AddressSchema.describe("Where Envoy's ext_proc filter connects."),
  als: AddressSchema.optional().describe("Where Envoy's access log stream connects; the ext_proc address when absent."),
  metrics: z
    .string()
    .regex(/^(off|(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):\d{1,5})$/, "not an address; write HOST:PORT, or off")
    .default("127.0.0.1:9464")
    .describe("Metrics, /healthz and /readyz by HTTP; `off` where whoever started the sidecar collects them."),
  source: z.union([
    z.strictObject(NatsFlagsShape),
    z.strictObject({ file: z.string().min(1).describe("A rule set as `serin rules` prints it; read again when it changes.") }),
  ]),
  stateDir: z.string().min(1).optional().describe("Directory for the last good rules; none are kept when absent."),
  operatorKeys: z
    .string()
    .min(1)
    .optional()
    .describe("File with the public keys (Ed25519, PEM) of operators whose orders to switch off are obeyed; none are when absent."),
  staleAfterMs: z.int().min(100).default(5_000).describe("Age of the beat at which growth has stopped and it is said."),
  unwatchedAfterMs: z.int().min(200).default(30_000).describe("Age of the beat at which shares return to stable."),
  drainMs: z
    .int()
    .min(0)
    .default(2_500)
    .describe("How long a stopping sidecar serves on after its health says no; longer than Envoy's interval."),
  trustPeers: z
    .array(PeerSchema)
    .max(1_000)
    .default([])
    .describe("Peers of Envoy whose baggage is believed: networks of their addresses, or URIs of certificates that Envoy verifies."),
  labels: LabelsSchema.default({}).describe("Labels of this sidecar, like zone=a: rollouts may go from group to group of them."),
  cookieKeyFile: z
    .string()
    .min(1)
    .optional()
    .describe("Keys of issued cookies, a line each in hex or base64, the same for all sidecars: the first signs, all verify."),
  debugSecretFile: z.string().min(1).optional().describe("Secrets, a line each, one of which a request must carry to be explained."),
  otlp: z
    .union([z.boolean(), z.literal("spans")])
    .default(false)
    .describe("Push metrics and traces by the standard OTEL_* variables; `spans` pushes no metrics, as a worker whose parent does that."),
});

export type SidecarOptions = z.input<typeof SidecarOptionsSchema>;
export type SidecarSettings = Readonly<z.output<typeof SidecarOptionsSchema>>;
