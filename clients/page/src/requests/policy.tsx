// What the owner's policy says of a request, for each own key that it waits for.
import type { PolicyExplained, SigningRequest } from "musigd-client";
import { useDaemon, useLive } from "../live.js";
import { Problem } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Badge, Id, Said } from "../parts/text.js";
import { waitingFor } from "./shown.js";

const KINDS = { join: "good", ask: "warn", refuse: "bad" } as const;
const WORDS = { join: "would join by itself", ask: "asks you", refuse: "refuses" } as const;

export function Policy({ request }: { request: SigningRequest }) {
  const daemon = useDaemon();
  const { requestId } = request;
  const keys = waitingFor(request);
  const { data, problem } = useLive<readonly PolicyExplained[]>(async (_, signal) =>
    Promise.all(keys.map((publicKey) => daemon.client.explainPolicy({ requestId, publicKey }, { signal }))), ["signing-request", "policy"], `${requestId} ${keys.join()}`);
  const active = (data ?? []).filter((each) => each.active);
  if (!active.length && !problem) return null;
  return (
    <section aria-labelledby="policy">
      <h2 id="policy">Your policy</h2>
      <Problem text={problem} />
      {active.map((each) => (
        <div key={each.publicKey}>
          <p><Badge kind={KINDS[each.verdict]}>{WORDS[each.verdict]}</Badge> {keys.length > 1 && <Id id={each.publicKey} />} <Said text={each.message} />
            {each.rule !== undefined && <> (rule <Said text={each.rule} />, line {each.line})</>}{each.approved && <> An owner has said yes.</>}</p>
          {each.weighed && each.weighed.length > 0 && (
            <details><summary>Why</summary>
              <Table caption="Conditions" rows={each.weighed} keyOf={(one) => `${one.rule}/${one.line}/${one.member}`}
                columns={[
                  { name: "Condition", heads: true, cell: (one) => <><Said text={one.rule} />: <Said text={one.member} /> <small>line {one.line}</small></> },
                  { name: "Limit", cell: (one) => <Said text={JSON.stringify(one.limit)} /> },
                  { name: "Here", cell: (one) => one.value === undefined ? <span class="dim">not known</span> : <Said text={JSON.stringify(one.value)} /> },
                  { name: "Holds", cell: (one) => one.holds ? <Badge kind="good">yes</Badge> : <Badge kind="bad">no</Badge> },
                ]} />
            </details>
          )}
        </div>
      ))}
    </section>
  );
}
