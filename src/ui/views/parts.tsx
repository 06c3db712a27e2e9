import type { ComponentChildren } from "preact";
import type { Verdict } from "../../contract/verdict.ts";
import { share } from "../../told/format.ts";

/** A table that scrolls by itself where the screen is narrower. */
export function Table({
  label,
  heads,
  children,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  readonly children: ComponentChildren;
}) {
  return (
    // A keyboard must reach what scrolls.
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

const MARKS: Readonly<Record<Verdict, string>> = { advance: "▲", hold: "■", rollback: "▼", unknown: "?" };

/** A verdict as word, mark and colour. */
export function VerdictBadge({ verdict }: { readonly verdict: Verdict | undefined }) {
  if (verdict === undefined) return <span class="faint">no verdict yet</span>;
  return (
    <span class={`badge ${verdict}`}>
      <span aria-hidden="true">{MARKS[verdict]} </span>
      {verdict}
    </span>
  );
}

/** The share set, as a bar and in words. */
export function ShareBar({ setBp, seenBp }: { readonly setBp: number; readonly seenBp: number | null | undefined }) {
  return (
    <span class="share">
      <svg viewBox="0 0 100 10" class="bar" aria-hidden="true" preserveAspectRatio="none">
        <rect width="100" height="10" class="ground" />
        <rect width={setBp / 100} height="10" class="filled" />
      </svg>
      <span>
        {share(setBp)} <span class="faint">seen {share(seenBp)}</span>
      </span>
    </span>
  );
}

/** A time as the reader's place writes it, exact on demand. */
export function Moment({ ms }: { readonly ms: number }) {
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={iso}>
      {new Date(ms).toLocaleTimeString(undefined, { hour12: false })}
    </time>
  );
}

/** What a field of a form holds, without blanks around it; "" where it holds no text. */
export function fieldText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}
