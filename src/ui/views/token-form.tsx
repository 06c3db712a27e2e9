import type { Session } from "../session.ts";
import { fieldText } from "./parts.tsx";

/** Asks for a token before anything is shown. */
export function TokenForm({ session: { signIn, refused, trouble, api } }: { readonly session: Session }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const token = fieldText(new FormData(event.currentTarget), "token");
    if (token !== "") signIn(token);
  };
  return (
    <form class="card narrow" onSubmit={submit}>
      <h1 tabIndex={-1}>Look at rollouts</h1>
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck={false} required aria-describedby="token-help" />
      <p id="token-help" class="faint">
        As <code>serin token</code> made it. It is kept until this tab is closed, and sent to this controller only.
      </p>
      <button type="submit" class="primary">
        Look
      </button>
      <p role="alert" class="bad">
        {refused ?? trouble}
      </p>
      {api !== undefined && refused === undefined && trouble === undefined && <p role="status">Asking…</p>}
    </form>
  );
}
