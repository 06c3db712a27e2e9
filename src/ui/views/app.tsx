import { useEffect } from "preact/hooks";
import { type Session, usePlace, useSession } from "../session.ts";
import { ExplainView } from "./explain-view.tsx";
import { FleetView } from "./fleet-view.tsx";
import { RolloutView } from "./rollout-view.tsx";
import { RolloutsView } from "./rollouts-view.tsx";
import { TokenForm } from "./token-form.tsx";

const VIEWS = [
  { place: "", label: "Rollouts" },
  { place: "fleet", label: "Fleet" },
  { place: "explain", label: "Explain" },
] as const;

/** The page: its head, and the view that the address names. */
export function App() {
  const session = useSession();
  const place = usePlace();
  const [view = "", name] = place;
  const title = view === "rollouts" && name !== undefined ? name : (VIEWS.find((each) => each.place === view)?.label ?? "Rollouts");
  useEffect(() => {
    document.title = `${title} – Serin`;
    // Whoever uses a keyboard or a screen reader goes on where the new view begins.
    if (place.join("/") !== "") document.querySelector<HTMLElement>("h1")?.focus();
  }, [place.join("/")]);
  const { model } = session;
  const isIn = session.api !== undefined && model.you !== undefined;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <header>
        <span class="brand">Serin</span>
        {isIn && <Navigation view={view === "rollouts" ? "" : view} />}
        {isIn && <Signed session={session} />}
      </header>
      <Notices session={session} />
      <p role="status" class="unseen">
        {model.said}
      </p>
      <main id="main" tabIndex={-1}>
        {isIn ? <View view={view} name={name} session={session} /> : <TokenForm session={session} />}
      </main>
    </>
  );
}

/** The address behind the hash names the view, so that this one must not change. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Navigation({ view }: { readonly view: string }) {
  return (
    <nav aria-label="Views">
      {VIEWS.map(({ place, label }) => (
        <a key={place} href={`#/${place}`} aria-current={view === place ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

function Signed({ session: { model, signOut } }: { readonly session: Session }) {
  return (
    <div class="signed">
      <span>
        {model.you?.name} <span class="badge">{model.you?.role}</span>
      </span>
      <button type="button" onClick={signOut}>
        Forget token
      </button>
    </div>
  );
}

/** What concerns everything, before all else. */
function Notices({ session: { model, trouble } }: { readonly session: Session }) {
  const { mesh, you } = model;
  const notices = [
    ...(trouble !== undefined && you !== undefined ? [`Not live: ${trouble}. What is shown is old; trying again.`] : []),
    ...(mesh?.problem ? [`${mesh.problem}.`] : []),
    ...(mesh !== undefined && mesh.problem === null && mesh.leader === null
      ? ["No controller leads: nothing advances, and shares go home unless a beat is heard."]
      : []),
    ...(mesh?.freeze ? [`${mesh.freeze}: nothing advances; what goes back still does.`] : []),
    ...(mesh?.orders ?? []).map(
      ({ scope, who, reason }) =>
        `Switched off by ${who}: ${scope.rollout ?? "all rollouts"}${reason === undefined ? "" : ` (${reason})`}.`,
    ),
  ];
  return (
    <div role="alert" class="notices">
      {notices.map((text) => (
        <p key={text}>
          <bdi>{text}</bdi>
        </p>
      ))}
    </div>
  );
}

function View({ view, name, session }: { readonly view: string; readonly name: string | undefined; readonly session: Session }) {
  if (view === "rollouts" && name !== undefined) return <RolloutView key={name} name={name} session={session} />;
  if (view === "fleet") return <FleetView session={session} />;
  return view === "explain" ? <ExplainView session={session} /> : <RolloutsView session={session} />;
}
