import * as z from "zod";

/** Where NATS is and what it is shown, as options of every program that runs. */
export const NatsFlagsShape = {
  nats: z.string().min(1).describe("`nats://host:port` or `tls://host:port`, several by comma."),
  natsCreds: z
    .string()
    .min(1)
    .optional()
    .describe(
      "File of credentials for NATS: one line user:password, or a .creds file; read again at each login, none are shown when absent.",
    ),
  natsCa: z
    .string()
    .min(1)
    .optional()
    .describe("File of the authority (PEM) that signed the server's certificate; those that Node knows when absent."),
};
