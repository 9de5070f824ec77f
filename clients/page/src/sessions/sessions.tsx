import type { Calls, Session } from "musigd-client";
import type { Daemon } from "../daemon.js";
import { useDaemon, useLive, useNow } from "../live.js";
import { Problem } from "../parts/action.js";
import { paged, Pages, Table } from "../parts/table.js";
import { Badge, Id, Said, span } from "../parts/text.js";
import { refine } from "../router.js";
import { SessionDetail } from "./session.js";

export const SESSION_TOPICS = ["session", "participant", "round1", "round2", "signature", "signing-request"];
const PHASES = ["joining", "ready", "round1", "round2", "complete", "aborted"] as const;
const MOST = 2_000;

export function Sessions({ item, query }: { item: string; query: URLSearchParams }) {
  return item ? <SessionDetail sessionId={item} /> : <SessionList query={query} />;
}

function SessionList({ query }: { query: URLSearchParams }) {
  const daemon = useDaemon();
  const phase = PHASES.find((each) => each === query.get("phase"));
  const { data, problem } = useLive<Session[]>((show, signal) => loadSessions(daemon, phase, show, signal), SESSION_TOPICS, phase ?? "");
  const { page, shown } = paged(data ?? [], query.get("page"));
  return (
    <>
      <h1 tabIndex={-1}>Sessions</h1>
      <form class="filters" aria-label="Filter sessions" onSubmit={(event) => event.preventDefault()}>
        <label>Phase
          <select value={phase ?? ""} onChange={(event) => refine({ phase: event.currentTarget.value, page: undefined })}>
            <option value="">any</option>{PHASES.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>
      </form>
      <Problem text={problem} />
      {data === undefined ? <p role="status">Loading …</p> : <SessionTable rows={shown} />}
      <Pages page={page} total={data?.length ?? 0} turn={(to) => refine({ page: to > 1 ? String(to) : undefined })} />
    </>
  );
}

async function loadSessions(
  daemon: Daemon, phase: Session["phase"] | undefined, show: (part: Session[]) => void, signal: AbortSignal,
): Promise<Session[]> {
  const sessions: Session[] = [];
  let cursor: string | undefined;
  do {
    const params = { limit: cursor === undefined ? 50 : 500, ...(phase && { phase }), ...(cursor !== undefined && { cursor }) };
    const found: Calls["listSessions"][1] = await daemon.client.listSessions(params, { signal });
    sessions.push(...found.sessions);
    cursor = found.nextCursor;
    if (cursor !== undefined) show([...sessions]);
  } while (cursor !== undefined && sessions.length < MOST);
  return sessions;
}

function SessionTable({ rows }: { rows: readonly Session[] }) {
  const now = useNow();
  const given = (session: Session, what: "joined" | "nonce" | "partialSignature"): string =>
    `${session.signers.filter((signer) => signer[what]).length} of ${session.signers.length}`;
  return (
    <Table caption="Sessions" rows={rows} keyOf={(session) => session.sessionId} empty="There is no session."
      columns={[
        { name: "Session", heads: true, cell: (session) => <><Id id={session.sessionId} href={`/sessions/${session.sessionId}`} /> <small>attempt {session.attempt}</small></> },
        { name: "Phase", cell: (session) => <PhaseBadge session={session} /> },
        { name: "Joined", cell: (session) => given(session, "joined") },
        { name: "Nonces", cell: (session) => given(session, "nonce") },
        { name: "Partial signatures", cell: (session) => given(session, "partialSignature") },
        { name: "Time left", cell: ({ deadline, phase }) => deadline === undefined || hasEnded(phase) ? "" : deadline > now ? span(deadline - now) : "over" },
        { name: "Request", cell: (session) => <Id id={session.requestId} href={`/requests/${session.requestId}`} /> },
      ]} />
  );
}

/** Whether the attempt has ended, so that its deadline says nothing any more. */
export function hasEnded(phase: Session["phase"]): boolean {
  return phase === "complete" || phase === "aborted";
}

export function PhaseBadge({ session }: { session: Session }) {
  const kind = session.phase === "complete" ? "good" : session.phase === "aborted" ? "bad" : "plain";
  return <><Badge kind={kind}>{session.phase}</Badge> {session.reason && <Said text={session.reason} />}</>;
}
