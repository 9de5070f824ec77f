// What the owner's policy says of a request, for each own key that it waits for.
import type { PolicyExplained, SigningRequest } from "musigd-client";
import { useDaemon, useLive, type Live } from "../live.js";
import { Problem } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Badge, Id, Moment, Said } from "../parts/text.js";
import { waitingFor } from "./shown.js";

const KINDS = { join: "good", ask: "warn", refuse: "bad" } as const;
const WORDS = { join: "would join by itself", ask: "asks you", refuse: "refuses" } as const;
export const APPROVAL_TOPICS = ["approval", "signing-request", "session", "policy", "key"];

export type Rulings = Live<ReadonlyMap<string, PolicyExplained>>;

/** What the policy says now, by own key that is waited for. */
export function usePolicy(request: SigningRequest): Rulings {
  const daemon = useDaemon();
  const { requestId } = request;
  const keys = waitingFor(request);
  return useLive(async (_, signal) => {
    const said = await Promise.all(keys.map((publicKey) => daemon.client.explainPolicy({ requestId, publicKey }, { signal })));
    return new Map(said.map((each) => [each.publicKey, each]));
  }, APPROVAL_TOPICS, `${requestId} ${keys.join()}`);
}

export function Policy({ rulings: { data, problem } }: { rulings: Rulings }) {
  const all = [...(data?.values() ?? [])];
  const active = all.filter((each) => each.active || (each.approvals ?? []).length > 0);
  if (!active.length && !problem) return null;
  return (
    <section aria-labelledby="policy">
      <h2 id="policy">Your policy</h2>
      <Problem text={problem} />
      {active.map((each) => (
        <div key={each.publicKey}>
          <p><Badge kind={KINDS[each.verdict]}>{WORDS[each.verdict]}</Badge> {all.length > 1 && <Id id={each.publicKey} />} <Said text={each.message} />
            {each.rule !== undefined && <> (rule <Said text={each.rule} />, line {each.line})</>}</p>
          {each.verdict === "ask" && <Approvals said={each} />}
          <Conditions said={each} />
        </div>
      ))}
    </section>
  );
}

/** Whose yes it takes, and who has said it. */
function Approvals({ said }: { said: PolicyExplained }) {
  const daemon = useDaemon();
  const of = said.approvalsOf ?? [];
  const given = said.approvals ?? [];
  return (
    <>
      <p><strong>{yesses(said)}</strong> said yes{of.length > 0 && <>; it takes {said.approvalsNeeded} of: {of.map((label, index) => <>{index > 0 && ", "}<Said key={label} text={label} /></>)}</>}.
        {!daemon.may("approveRequest") && " This token may not say it."}</p>
      {given.length > 0 && (
        <Table caption="Approvals" rows={given} keyOf={(each) => `${each.label} ${each.at}`}
          columns={[
            { name: "Token", heads: true, cell: (each) => <><Said text={each.label} /> {each.own && <Badge kind="plain">this one</Badge>}</> },
            { name: "Said yes", cell: (each) => <Moment at={each.at} /> },
            { name: "Until", cell: (each) => each.until === undefined ? "the request ends" : <Moment at={each.until} /> },
            { name: "Counts", cell: (each) => of.length === 0 || of.includes(each.label) ? "yes" : "no, the rule names others" },
          ]} />
      )}
    </>
  );
}

/** `1 of 2`: how many of those that it takes. */
export function yesses({ approvalsGiven = 0, approvalsNeeded = 1 }: { approvalsGiven?: number; approvalsNeeded?: number }): string {
  return `${approvalsGiven} of ${approvalsNeeded}`;
}

function Conditions({ said: { weighed = [] } }: { said: PolicyExplained }) {
  if (!weighed.length) return null;
  return (
    <details><summary>Why</summary>
      <Table caption="Conditions" rows={weighed} keyOf={(one) => `${one.rule}/${one.line}/${one.member}`}
        columns={[
          { name: "Condition", heads: true, cell: (one) => <><Said text={one.rule} />: <Said text={one.member} /> <small>line {one.line}</small></> },
          { name: "Limit", cell: (one) => <Said text={JSON.stringify(one.limit)} /> },
          { name: "Here", cell: (one) => one.value === undefined ? <span class="dim">not known</span> : <Said text={JSON.stringify(one.value)} /> },
          { name: "Holds", cell: (one) => one.holds ? <Badge kind="good">yes</Badge> : <Badge kind="bad">no</Badge> },
        ]} />
    </details>
  );
}
