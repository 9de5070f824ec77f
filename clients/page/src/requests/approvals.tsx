// What waits for the yes of an owner, with the rule that asks; the answer itself is given where one sees what is signed.
import type { Calls, ListPendingApprovals, PendingApproval } from "musigd-client";
import type { Daemon } from "../daemon.js";
import { Problem } from "../parts/action.js";
import { Pages, paged, Table } from "../parts/table.js";
import { Badge, Id, Said, sats } from "../parts/text.js";
import { useDaemon, useLive, useNow } from "../live.js";
import { refine } from "../router.js";
import { APPROVAL_TOPICS, yesses } from "./policy.js";
import { About, Left, VerdictBadge } from "./requests.js";
import { amountOf } from "./shown.js";

const MOST = 2_000;

export function Approvals({ page: wanted }: { page: string | null }) {
  const daemon = useDaemon();
  const now = useNow();
  const { data, problem } = useLive<PendingApproval[]>((show, signal) => loadPending(daemon, show, signal), APPROVAL_TOPICS);
  const { page, shown } = paged(data ?? [], wanted);
  return (
    <>
      <Problem text={problem} />
      {data === undefined ? !problem && <p role="status">Loading …</p> : (
        <Table caption="Waiting for approval" rows={shown} keyOf={(each) => `${each.request.requestId} ${each.publicKey}`}
          empty="Nothing waits for approval."
          columns={[
            { name: "Request", heads: true, cell: ({ request }) => <About request={request} /> },
            { name: "Own key", cell: (each) => <Id id={each.publicKey} /> },
            { name: "Why it waits", cell: (each) => each.rule === undefined ? <Said text={each.message} /> : <>rule <Said text={each.rule} />, line {each.line}</> },
            { name: "Said yes", cell: (each) => <>{yesses(each)} {(each.approvals ?? []).some((one) => one.own) && <Badge kind="plain">you too</Badge>}</> },
            { name: "What is signed", cell: ({ request }) => <VerdictBadge request={request} /> },
            { name: "Amount", cell: ({ request }) => amountOf(request) === undefined ? <span class="dim">not said</span> : sats(amountOf(request)!) },
            { name: "Time left", cell: ({ request }) => <Left until={request.expiresAt} now={now} /> },
          ]} />
      )}
      <Pages page={page} total={(data ?? []).length} turn={(to) => refine({ page: to > 1 ? String(to) : undefined })} />
    </>
  );
}

async function loadPending(daemon: Daemon, show: (part: PendingApproval[]) => void, signal: AbortSignal): Promise<PendingApproval[]> {
  const pending: PendingApproval[] = [];
  let cursor: string | undefined;
  do {
    const params: ListPendingApprovals = { limit: cursor === undefined ? 50 : 500, ...(cursor !== undefined && { cursor }) };
    const found: Calls["listPendingApprovals"][1] = await daemon.client.listPendingApprovals(params, { signal });
    pending.push(...found.pending);
    cursor = found.nextCursor;
    if (cursor !== undefined) show([...pending]);
  } while (cursor !== undefined && pending.length < MOST);
  return pending;
}
