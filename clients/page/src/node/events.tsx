import type { StoredEvent } from "musigd-client";
import { useEffect, useState } from "preact/hooks";
import { sentenceOf } from "../daemon.js";
import { useDaemon } from "../live.js";
import { Problem } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Id, Moment, Said } from "../parts/text.js";
import { refine } from "../router.js";

const KINDS = ["signer", "signing-request", "participant", "session", "peer", "key", "node", "token"];
const BACK = 200;
const SHOWN = 100;
const KEPT = 1_000;

/** What happened, newest first: the last events of the log, and each new one as it comes. */
export function EventLog({ query }: { query: URLSearchParams }) {
  const { events, problem } = useEvents();
  const kind = query.get("kind") ?? "";
  const words = (query.get("words") ?? "").toLowerCase();
  const matching = events.filter((event) => (!kind || event.event.startsWith(`${kind}:`))
    && (!words || `${event.event} ${JSON.stringify(event.data)}`.toLowerCase().includes(words)));
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <form class="filters" aria-label="Filter events" onSubmit={(event) => event.preventDefault()}>
        <label>Kind
          <select value={kind} onChange={(event) => refine({ kind: event.currentTarget.value })}>
            <option value="">all</option>{KINDS.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>
        <label>Holds<input placeholder="a key, an id, a word" value={query.get("words") ?? ""} onInput={(event) => refine({ words: event.currentTarget.value })} /></label>
        <span role="status">{matching.length} of the last {events.length}</span>
      </form>
      <Problem text={problem} />
      <Table caption="Events" rows={matching.slice(0, SHOWN)} keyOf={(event) => String(event.seq)} empty="No event matches."
        columns={[
          { name: "Number", cell: (event) => event.seq },
          { name: "When", cell: (event) => <Moment at={event.time} /> },
          { name: "Event", heads: true, cell: (event) => event.event },
          { name: "About", cell: (event) => <About data={event.data} /> },
        ]} />
    </section>
  );
}

function About({ data }: { data: Record<string, unknown> }) {
  const { requestId, sessionId, reason } = data;
  return (
    <>
      {typeof requestId === "string" && <>request <Id id={requestId} href={`/requests/${requestId}`} /> </>}
      {typeof sessionId === "string" && <>session <Id id={sessionId} href={`/sessions/${sessionId}`} /> </>}
      {typeof reason === "string" && <Said text={reason} />}
      <details><summary>Data</summary><pre><Said text={JSON.stringify(data, null, 1).slice(0, 4_000)} /></pre></details>
    </>
  );
}

function useEvents(): { events: readonly StoredEvent[]; problem: string } {
  const daemon = useDaemon();
  const [events, setEvents] = useState<readonly StoredEvent[]>([]);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const ending = new AbortController();
    const merge = (more: readonly StoredEvent[]): void => setEvents((old) => {
      const bySeq = new Map([...old, ...more].map((event) => [event.seq ?? 0, event]));
      return [...bySeq.values()].sort((a, b) => (b.seq ?? 0) - (a.seq ?? 0)).slice(0, KEPT);
    });
    const load = async (): Promise<void> => {
      try {
        const { nextSeq } = await daemon.client.getInfo({}, { signal: ending.signal });
        const page = await daemon.client.getEvents({ fromSeq: Math.max(1, nextSeq - BACK), limit: BACK }, { signal: ending.signal });
        merge(page.events);
        setProblem("");
      } catch (failure) {
        if (!ending.signal.aborted) setProblem(sentenceOf(failure));
      }
    };
    const deaf = daemon.listen((topic, event) => {
      if (topic === "everything") void load();
      else if (event?.seq !== undefined) merge([event as StoredEvent]);
    });
    void load();
    return () => {
      deaf();
      ending.abort();
    };
  }, [daemon]);
  return { events, problem };
}
