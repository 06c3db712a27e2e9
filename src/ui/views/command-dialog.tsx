import { useEffect, useRef, useState } from "preact/hooks";
import { isFinal } from "../problem-answer.ts";
import type { Session } from "../session.ts";
import { fieldText } from "./parts.tsx";

const newKey = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");

interface Asked {
  readonly session: Session;
  /** Of the API, relative. */
  readonly path: string;
  readonly title: string;
  readonly does: string;
  /** Fields of the command beside its reason. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Variants of which everyone may get one; the first where nobody chooses. */
  readonly variants?: readonly string[];
  /** It may also be said in spite of what holds the rollout. */
  readonly canOverride?: boolean;
  onClose(): void;
}

/** Which variant everyone gets; nothing where there is one alone. */
function VariantChoice({ variants, isOver, onChange }: Readonly<{ variants: readonly string[]; isOver: boolean; onChange: () => void }>) {
  if (variants.length < 2) return null;
  return (
    <>
      <label for="variant">Everyone gets</label>
      <select id="variant" name="variant" disabled={isOver} onChange={onChange}>
        {variants.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </>
  );
}

/** Asks once more before a command is given, with the reason that the audit keeps; the answer stands in it. */
export function CommandDialog({ session, path, title, does, fields = {}, variants = [], canOverride = false, onClose }: Asked) {
  const dialog = useRef<HTMLDialogElement>(null);
  // A second press, or one after a lost answer, is the same command; one after a refusal, or of another variant, is another.
  const [key, setKey] = useState(newKey);
  const [answer, setAnswer] = useState<Readonly<{ text: string; isBad: boolean }>>();
  const [isOver, setOver] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const give = async (form: FormData): Promise<void> => {
    const reason = fieldText(form, "reason");
    const variant = fieldText(form, "variant");
    const more = { ...(variant !== "" && { variant }), ...(reason !== "" && { reason }), ...(form.has("override") && { override: true }) };
    setAnswer({ text: "Asking…", isBad: false });
    try {
      const reply = await session.api?.command(path, { ...fields, ...more }, key);
      setAnswer({ text: reply?.message ?? "", isBad: false });
      setOver(true);
    } catch (error) {
      if (isFinal(error)) setKey(newKey());
      setAnswer({ text: error instanceof Error ? error.message : String(error), isBad: true });
    }
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void give(new FormData(event.currentTarget));
  };
  return (
    <dialog ref={dialog} aria-labelledby="asked" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="asked">{title}</h2>
        <p>{does}</p>
        <label for="reason">Reason, kept in the audit</label>
        <textarea id="reason" name="reason" maxLength={1_000} rows={2} disabled={isOver} />
        <VariantChoice variants={variants} isOver={isOver} onChange={() => setKey(newKey())} />
        {canOverride && (
          <label class="check">
            <input type="checkbox" name="override" disabled={isOver} /> In spite of what holds it, like a freeze; needs a reason
          </label>
        )}
        <p role="status" class={answer?.isBad ? "bad" : ""}>
          <bdi>{answer?.text}</bdi>
        </p>
        <p class="buttons">
          {!isOver && (
            <button type="submit" class="primary">
              {title}
            </button>
          )}
          <button type="button" onClick={() => dialog.current?.close()}>
            {isOver ? "Close" : "Do nothing"}
          </button>
        </p>
      </form>
    </dialog>
  );
}
