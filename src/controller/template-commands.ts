import { isDeepStrictEqual } from "node:util";
import type { Command, Reply } from "../contract/messages.ts";
import { FORMAT } from "../contract/names.ts";
import { TemplateSchema, templateIn, type UsedTemplate } from "../contract/templates.ts";
import type { TermParts } from "./ports.ts";

/** A template, or why there is none. */
type Found = Readonly<{ template: UsedTemplate | undefined }> | Readonly<{ refusal: string }>;

/** Whether a document of an `apply` is a template. */
export const isTemplate = (document: unknown): boolean => Object(document).kind === "Template";

/** Carries out what operators ask of templates. They are looked up when a rollout is applied, and never later. */
export class TemplateCommands {
  readonly #parts: Pick<TermParts, "templates" | "clock" | "log">;

  constructor(parts: Pick<TermParts, "templates" | "clock" | "log">) {
    this.#parts = parts;
  }

  /** The template that a rollout's document asks for. */
  async lookUp(document: unknown): Promise<Found> {
    const name = templateIn(document);
    if (name === undefined) return { template: undefined };
    const { templates } = this.#parts;
    const last = await templates.last(name);
    if (last !== undefined) return { template: { name, strategy: last.template.strategy } };
    const names = await templates.names();
    const known = names.length === 0 ? "none was applied yet" : `known are ${names.toSorted().join(", ")}`;
    return {
      refusal: `strategy.use: there is no template ${name}, ${known}; apply it first, or in the same command, or use fast, standard or careful`,
    };
  }

  async apply({ id, document, dryRun, who, reason }: Command): Promise<Reply> {
    const reply = (result: Reply["result"], message: string): Reply => ({ format: FORMAT, id, result, message });
    const parsed = TemplateSchema.safeParse(document);
    if (!parsed.success)
      return reply(
        "invalid",
        parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "document"}: ${message}`).join("\n"),
      );
    const { templates, clock, log } = this.#parts;
    const { name } = parsed.data;
    const last = await templates.last(name);
    if (last !== undefined && isDeepStrictEqual(last.template, document)) return reply("unchanged", `template ${name} is as it was`);
    if (dryRun === true) return reply("done", `template ${name} is valid`);
    const plan = {
      format: FORMAT,
      document,
      who,
      atMs: clock.nowMs(),
      ...(reason === undefined ? {} : { reason }),
      commandId: id,
    } as const;
    const sequence = await templates.append(name, plan, last?.sequence ?? 0);
    log.info({ template: name, who: who.name, sequence }, "template applied");
    return reply("done", "apply: rollouts that are applied from now on use it; running ones keep what they began with");
  }
}
