import { useDaemon, useInfo, useLive } from "../live.js";
import { Problem } from "../parts/action.js";
import { Said, span, Whole } from "../parts/text.js";
import { EventLog } from "./events.js";
import { Keys } from "./keys.js";
import { Contacts } from "./pairing.js";
import { Peers } from "./peers.js";

/** The daemon: its peers, its directory, what is wrong and what to do, and what happened. */
export function NodeView({ query }: { query: URLSearchParams }) {
  const daemon = useDaemon();
  return (
    <>
      <h1 tabIndex={-1}>Node</h1>
      <State />
      <Peers />
      <Keys />
      {daemon.may("listContacts") && <Contacts />}
      <EventLog query={query} />
    </>
  );
}

function State() {
  const { info } = useInfo();
  const daemon = useDaemon();
  const { data, problem } = useLive(
    async (_, signal) => (await daemon.client.findAvailableSigners({ maxResults: 1 }, { signal })).sources["directory"] ?? 0, ["directory"]);
  return (
    <section aria-labelledby="state">
      <h2 id="state">State</h2>
      {info.problems.length === 0 ? <p class="note good">No problem is known.</p> : (
        <ul class="problems" aria-label="Problems">
          {info.problems.map((each) => (
            <li key={each.reason + each.remedy} class="note bad"><strong><Said text={each.reason} /></strong>: <Said text={each.remedy} />
              {each.until !== undefined && <> It ends by itself in {span(Math.max(0, each.until - info.time))}.</>}</li>
          ))}
        </ul>
      )}
      <Problem text={problem} />
      <dl>
        <dt>Version</dt><dd><Said text={info.version} />, network <Said text={info.network} />, up for {span(info.uptime)}</dd>
        <dt>Directory</dt><dd>{data === undefined ? "…" : `${data} signers`}</dd>
        <dt>Peer id</dt><dd><Whole hex={info.peerId} /></dd>
        <dt>Addresses</dt><dd>{info.multiaddrs.length ? info.multiaddrs.map((each) => <div key={each}><Whole hex={each} /></div>) : "none that others can dial"}</dd>
        <dt>Event log</dt><dd>next number {info.nextSeq}</dd>
      </dl>
    </section>
  );
}
