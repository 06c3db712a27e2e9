/** What a token may do: look; look and decide gates; everything. */
export const ROLES = {
  view: "looks: every GET",
  approve: "looks, and promotes or aborts a rollout that waits at a gate",
  operate: "does everything that the command line does",
} as const;

export type Role = keyof typeof ROLES;
