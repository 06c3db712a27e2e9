import type { Who } from "../contract/messages.ts";

/** `alice`, or `alice (claimed)` where nothing but the sender vouches for the name. */
export const whoText = ({ name, claimed }: Who): string => (claimed ? `${name} (claimed)` : name);

/** `2026-03-10 09:00:12 UTC`. */
export const momentText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
