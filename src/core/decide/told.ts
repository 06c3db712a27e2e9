import type { AskedLeaf, CompiledCondition } from "./conditions.ts";
import type { RequestFacts, Subject } from "./types.ts";

/**
 * Why a condition does not hold: which part of it failed, in the words of the rule. What the request has instead may be somebody's, so
 * only its method is told.
 */
export function failureText(condition: CompiledCondition, request: RequestFacts, subject: Subject): string {
  switch (condition.kind) {
    case "leaf": {
      const { asked } = condition;
      if ("method" in asked) return `method ${request.method} is none of ${asked.method.join(", ")}`;
      return `${leafText(asked)} is not met`;
    }
    case "all": {
      const failed = condition.inner.filter(({ meets }) => !meets(request, subject)).slice(0, 1);
      return failed.map((inner) => failureText(inner, request, subject)).join("");
    }
    case "any":
      return `none is met of ${condition.inner.map(conditionText).join(", ")}`;
    case "not":
      return `${conditionText(condition.inner)} is met, and must not be`;
  }
}

function conditionText(condition: CompiledCondition): string {
  switch (condition.kind) {
    case "leaf":
      return leafText(condition.asked);
    case "all":
      return `(${condition.inner.map(conditionText).join(" and ")})`;
    case "any":
      return `(${condition.inner.map(conditionText).join(" or ")})`;
    case "not":
      return `not ${conditionText(condition.inner)}`;
  }
}

/** `header x-app version ">=4"`: kind, name, and what is asked of the value; one form for every kind of condition. */
function leafText(asked: AskedLeaf): string {
  if ("listedUsers" in asked) return `a list of ${asked.listedUsers} users`;
  return Object.entries(asked)
    .map(([kind, what]: [string, unknown]) => {
      if (typeof what !== "object" || Array.isArray(what)) return `${kind} ${[what].flat().map(String).join(", ")}`;
      const { name, ...tests } = Object(what);
      const words = Object.entries(tests).map(([test, value]) => `${test} ${JSON.stringify(value)}`);
      return [kind, ...(name === undefined ? [] : [name]), ...words].join(" ");
    })
    .join("");
}
