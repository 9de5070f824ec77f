import { useEffect, useRef, useState } from "preact/hooks";
import { Daemon, sentenceOf } from "./daemon.js";
import { Here, useInfo } from "./live.js";
import { Entrance } from "./entrance.js";
import { usePlace, type Place, type View } from "./router.js";
import { forgetToken, givenToken, keepToken, knownToken } from "./token.js";
import { Badge, Said } from "./parts/text.js";
import { Market } from "./market/market.js";
import { NodeView } from "./node/node.js";
import { Requests } from "./requests/requests.js";
import { Sessions } from "./sessions/sessions.js";

const NAMES: Record<View, string> = { market: "Market", requests: "Requests", sessions: "Sessions", node: "Node" };

/** The page: an entrance until a token is known, then one of the views. */
export function App() {
  const [daemon, setDaemon] = useState<Daemon | null>(null);
  const [why, setWhy] = useState("");
  const [entering, setEntering] = useState(false);
  const inside = useRef<Daemon | null>(null);

  const leave = (reason: string): void => {
    forgetToken();
    inside.current?.leave();
    inside.current = null;
    setDaemon(null);
    setWhy(reason);
  };
  const enter = async (token: string): Promise<void> => {
    setEntering(true);
    try {
      const entered = await Daemon.enter(token, leave);
      inside.current?.leave();
      inside.current = entered;
      keepToken(token);
      setDaemon(entered);
      setWhy("");
    } catch (problem) {
      leave(sentenceOf(problem));
    } finally {
      setEntering(false);
    }
  };
  useEffect(() => {
    const token = knownToken();
    if (token) void enter(token);
    // An address with a token, entered while the page is open, loads nothing anew.
    const look = (): void => {
      const given = givenToken();
      if (given) void enter(given);
    };
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);

  if (daemon === null) return <Entrance why={why} busy={entering} enter={(token) => void enter(token)} />;
  return <Here.Provider value={daemon}><Inside leave={() => leave("")} /></Here.Provider>;
}

function Inside({ leave }: { leave: () => void }) {
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  const shown = `${place.view}/${place.item}`;
  const first = useRef(true);
  useEffect(() => {
    document.title = `${NAMES[place.view]} · musigd`;
    // Who uses a keyboard or a screen reader goes on at the heading of what is now shown.
    if (!first.current) main.current?.querySelector<HTMLElement>("h1")?.focus();
    first.current = false;
  }, [shown]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      <Top view={place.view} leave={leave} />
      <main id="main" tabIndex={-1} ref={main}><Shown place={place} /></main>
    </>
  );
}

function Top({ view, leave }: { view: View; leave: () => void }) {
  const { info, state, rights } = useInfo();
  const scopes = rights.scopes.includes("admin") ? "every right" : rights.scopes.join(", ");
  return (
    <header>
      <strong class="name">musigd</strong>
      <nav aria-label="Views">
        {(Object.keys(NAMES) as View[]).map((each) => (
          <a key={each} href={`/${each}`} aria-current={each === view ? "page" : undefined}>{NAMES[each]}</a>
        ))}
      </nav>
      <span class="state" role="status">
        {state === "away" ? <Badge kind="bad">The daemon does not answer; trying again</Badge>
          : info.ready ? <Badge kind="good">ready</Badge> : <Badge kind="bad">not ready</Badge>}
        {state === "here" && info.locked && <Badge kind="warn">keys locked</Badge>}
      </span>
      <span class="rights"><Said text={info.network} /> · {scopes}{rights.publicKeys ? ", own keys only" : ""}</span>
      <button type="button" onClick={leave}>Leave</button>
    </header>
  );
}

function Shown({ place }: { place: Place }) {
  switch (place.view) {
    case "market": return <Market query={place.query} />;
    case "requests": return <Requests item={place.item} query={place.query} />;
    case "sessions": return <Sessions item={place.item} query={place.query} />;
    case "node": return <NodeView query={place.query} />;
  }
}
