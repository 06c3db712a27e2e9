import * as z from "zod";

const AllowedSchema = z.int().min(1).max(1_000_000_000).optional();

/** What a rollout may cost, over its whole attempt; when that is spent it goes back, whatever its verdict is. */
export const BlastRadiusSchema = z
  .strictObject({
    failedRequests: AllowedSchema.describe("Failed requests of the canary beyond as many as stable would have failed."),
    failedUsers: AllowedSchema.describe("Users newly failing on the canary beyond as many as on stable would have; each counts once."),
  })
  .refine(({ failedRequests, failedUsers }) => failedRequests !== undefined || failedUsers !== undefined, {
    error: "allows nothing and forbids nothing; write failedRequests, failedUsers, or both",
  });

export type BlastRadius = z.infer<typeof BlastRadiusSchema>;
