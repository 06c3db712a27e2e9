/** Variants as which evidence names the answers of a shadow, and stable's answers to the very requests that it got copies of. */
export const SHADOW = "shadow";
export const SHADOWED = "shadowed";

/** Variants of a rollout that begins with a shadow may not be called so. */
export const SHADOW_VARIANTS: readonly string[] = [SHADOW, SHADOWED];
