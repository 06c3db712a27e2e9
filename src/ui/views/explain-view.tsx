import { useState } from "preact/hooks";
import type { AskedRequest, Explained } from "../../contract/explanation.ts";
import type { Session } from "../session.ts";
import { fieldText } from "./parts.tsx";

/** A request to be typed, and the way to its variant. */
export function ExplainView({ session: { api } }: { readonly session: Session }) {
  const [found, setFound] = useState<Explained>();
  const [problem, setProblem] = useState<string>();
  const ask = async (form: FormData): Promise<void> => {
    try {
      setFound(await api?.explain(requestOf(form)));
      setProblem(undefined);
    } catch (error) {
      setFound(undefined);
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void ask(new FormData(event.currentTarget));
  };
  return (
    <>
      <h1 tabIndex={-1}>Explain</h1>
      <p>Which variant a request gets by the rules in force, and why. Nothing is sent to any service.</p>
      <form class="card" onSubmit={submit}>
        <div class="fields">
          <Field id="host" label="Host" hint="shop.example" required />
          <Field id="path" label="Path" value="/" required />
          <Field id="method" label="Method" value="GET" required />
          <Field id="address" label="Client's address" hint="203.0.113.7" />
        </div>
        <label for="headers">Headers, one a line</label>
        <textarea id="headers" name="headers" rows={4} placeholder="x-user-id: alice" spellcheck={false} />
        <p class="buttons">
          <button type="submit" class="primary">
            Explain
          </button>
        </p>
      </form>
      <div role="status">{found !== undefined && <Answer found={found} />}</div>
      <p role="alert" class="bad">
        {problem}
      </p>
    </>
  );
}

interface FieldParts {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly value?: string;
  readonly required?: boolean;
}

const Field = ({ id, label, hint, value, required }: FieldParts) => (
  <div>
    <label for={id}>{label}</label>
    <input id={id} name={id} placeholder={hint} defaultValue={value} required={required} autocomplete="off" spellcheck={false} />
  </div>
);

const Answer = ({ found: { decision, epoch, revision, steps } }: { readonly found: Explained }) => (
  <section class="card" aria-label="Answer">
    <p class="phase">
      {decision.variant} <span class="faint">reason: {decision.reason}</span>
    </p>
    <ol class="steps">
      {steps.map(({ rollout, text }, index) => (
        <li key={index}>
          {rollout !== undefined && <b>{rollout}: </b>}
          <bdi>{text}</bdi>
        </li>
      ))}
    </ol>
    <p class="faint">
      By revision {epoch}.{revision}.
    </p>
  </section>
);

/** The form as the API takes it. */
function requestOf(form: FormData): AskedRequest {
  const text = (name: string): string => fieldText(form, name);
  const headers: Record<string, string[]> = {};
  for (const line of text("headers").split("\n")) {
    const [name = "", ...value] = line.split(":");
    if (name.trim() === "") continue;
    (headers[name.trim().toLowerCase()] ??= []).push(value.join(":").trim());
  }
  const address = text("address");
  return { host: text("host"), path: text("path"), method: text("method"), headers, ...(address !== "" && { address }) };
}
