import type { Calls, FindSigningRequestsForMe, SigningRequest } from "musigd-client";
import type { Daemon } from "../daemon.js";
import { useDaemon, useLive, useNow } from "../live.js";
import { Problem } from "../parts/action.js";
import { paged, Pages, Table } from "../parts/table.js";
import { Badge, Id, Said, sats, span } from "../parts/text.js";
import { refine } from "../router.js";
import { Approvals } from "./approvals.js";
import { AskForm } from "./ask.js";
import { Muted } from "./muted.js";
import { RequestDetail } from "./request.js";
import { amountOf, ENDED, isMine, reviewOf, textOf, VERDICTS, waitingFor } from "./shown.js";

export const REQUEST_TOPICS = ["signing-request", "participant", "session", "signature", "round1", "round2"];
const STATES = ["open", "signing", "complete", "declined", "cancelled", "expired", "failed"] as const;
const WHICH = { mine: "Waiting for me", approval: "For approval", asked: "Asked by me", all: "All" } as const;
const MOST = 2_000;

export function Requests({ item, query }: { item: string; query: URLSearchParams }) {
  if (item === "new") return <AskForm signers={(query.get("with") ?? "").split(",").filter(Boolean)} />;
  return item ? <RequestDetail requestId={item} /> : <RequestList query={query} />;
}

function RequestList({ query }: { query: URLSearchParams }) {
  const daemon = useDaemon();
  const state = STATES.find((each) => each === query.get("state"));
  const which = (query.get("which") ?? "all") as keyof typeof WHICH;
  const { data, problem, reload } = useLive<SigningRequest[]>((show, signal) => loadRequests(daemon, state, show, signal), REQUEST_TOPICS, state ?? "");
  const matching = (data ?? []).filter((request) => which === "mine" ? waitingFor(request).length > 0 : which === "asked" ? isMine(request) : true);
  const { page, shown } = paged(matching, query.get("page"));
  return (
    <>
      <h1 tabIndex={-1}>Requests</h1>
      <form class="filters" aria-label="Filter requests" onSubmit={(event) => event.preventDefault()}>
        <fieldset><legend class="hidden">Which</legend>
          {Object.entries(WHICH).map(([name, label]) => (
            <label key={name} class="check">
              <input type="radio" name="which" checked={which === name} onChange={() => refine({ which: name === "all" ? undefined : name, page: undefined })} />
              {label}{name === "mine" && data ? ` (${data.filter((request) => waitingFor(request).length > 0).length})` : ""}
            </label>
          ))}
        </fieldset>
        {which !== "approval" && <label>State
          <select value={state ?? ""} onChange={(event) => refine({ state: event.currentTarget.value, page: undefined })}>
            <option value="">open and signing</option>{STATES.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>}
        {daemon.may("announceSigningRequest") && <a class="button" href="/requests/new">Ask for a signature</a>}
      </form>
      {which === "approval" ? <Approvals page={query.get("page")} /> : (
        <>
          <Problem text={problem} />
          {data === undefined ? <p role="status">Loading …</p> : <RequestTable rows={shown} />}
          <Pages page={page} total={matching.length} turn={(to) => refine({ page: to > 1 ? String(to) : undefined })} />
        </>
      )}
      {daemon.may("listMutedCreators") && <Muted done={reload} />}
    </>
  );
}

async function loadRequests(
  daemon: Daemon, state: FindSigningRequestsForMe["state"], show: (part: SigningRequest[]) => void, signal: AbortSignal,
): Promise<SigningRequest[]> {
  const requests: SigningRequest[] = [];
  let cursor: string | undefined;
  do {
    const params = { limit: cursor === undefined ? 50 : 500, ...(state && { state }), ...(cursor !== undefined && { cursor }) };
    const found: Calls["findSigningRequestsForMe"][1] = await daemon.client.findSigningRequestsForMe(params, { signal });
    requests.push(...found.requests);
    cursor = found.nextCursor;
    if (cursor !== undefined) show([...requests]);
  } while (cursor !== undefined && requests.length < MOST);
  return requests;
}

function RequestTable({ rows }: { rows: readonly SigningRequest[] }) {
  const now = useNow();
  return (
    <Table caption="Requests" rows={rows} keyOf={(request) => request.requestId} empty="No request is in this list."
      columns={[
        { name: "Request", heads: true, cell: (request) => <About request={request} /> },
        { name: "State", cell: (request) => <StateBadge request={request} /> },
        { name: "What is signed", cell: (request) => <VerdictBadge request={request} /> },
        { name: "Amount", cell: (request) => amountOf(request) === undefined ? <span class="dim">not said</span> : sats(amountOf(request)!) },
        { name: "From", cell: (request) => isMine(request) ? <Badge kind="plain">me</Badge> : <Id id={request.creator} /> },
        { name: "Joined", cell: ({ signers }) => `${signers.filter((signer) => signer.joined).length} of ${signers.length}` },
        { name: "Time left", cell: (request) => ENDED.has(request.state) ? "" : <Left until={request.expiresAt} now={now} /> },
      ]} />
  );
}

export function About({ request }: { request: SigningRequest }) {
  const words = textOf(request, "purpose") || textOf(request, "description") || textOf(request, "transactionType");
  return <><a href={`/requests/${request.requestId}`}>{words ? <Said text={words.slice(0, 120).replace(/[\n\t]+/g, " ")} /> : "Request"}</a><br /><Id id={request.requestId} /></>;
}

export function Left({ until, now }: { until: number; now: number }) {
  return <span class={until - now < 600_000 ? "soon" : undefined}>{until > now ? span(until - now) : "over"}</span>;
}

const KINDS = { open: "plain", signing: "plain", complete: "good", declined: "bad", cancelled: "warn", expired: "warn", failed: "bad" } as const;

export function StateBadge({ request }: { request: SigningRequest }) {
  const waits = waitingFor(request).length > 0;
  return waits ? <Badge kind="warn">waits for me</Badge> : <Badge kind={KINDS[request.state]}>{request.state}</Badge>;
}

export function VerdictBadge({ request }: { request: SigningRequest }) {
  const [kind, word] = VERDICTS[reviewOf(request).status];
  return <Badge kind={kind}>{word}</Badge>;
}
