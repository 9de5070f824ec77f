import type { Session, SigningRequest } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon, useLive, useNow } from "../live.js";
import { Press, PressWithReason, Problem, useAction } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Badge, Id, Moment, Said, span, Whole } from "../parts/text.js";
import { Diagram } from "./diagram.js";
import { hasEnded, PhaseBadge, SESSION_TOPICS } from "./sessions.js";

interface Loaded {
  session: Session;
  request: SigningRequest;
}

/** One attempt, live: who gave what, why it ended, and what proves it. */
export function SessionDetail({ sessionId }: { sessionId: string }) {
  const daemon = useDaemon();
  const { data, problem, reload } = useLive<Loaded>(async (_, signal) => {
    const session = await daemon.client.getSession({ sessionId }, { signal });
    return { session, request: await daemon.client.getSigningRequest({ requestId: session.requestId }, { signal }) };
  }, SESSION_TOPICS, sessionId);
  return (
    <>
      <h1 tabIndex={-1}>Session</h1>
      <p><a href="/sessions">All sessions</a></p>
      <Problem text={problem} />
      {data === undefined ? !problem && <p role="status">Loading …</p> : <Detail {...data} reload={reload} />}
    </>
  );
}

function Detail({ session, request, reload }: Loaded & { reload: () => void }) {
  const now = useNow();
  const { deadline } = session;
  const live = !hasEnded(session.phase);
  return (
    <>
      <p class="bar" role="status"><PhaseBadge session={session} />{live && deadline !== undefined && <span>{deadline > now ? `${span(deadline - now)} left` : "time is over"}</span>}</p>
      <Diagram session={session} />
      <Orders session={session} request={request} done={reload} />
      {session.phase === "aborted" && <WhyItEnded session={session} />}
      <Given session={session} request={request} />
      <section aria-labelledby="facts">
        <h2 id="facts">Facts</h2>
        <dl>
          <dt>Session</dt><dd><Whole hex={session.sessionId} /></dd>
          <dt>Request</dt><dd><a href={`/requests/${session.requestId}`}><Whole hex={session.requestId} /></a> (attempt {session.attempt})</dd>
          <dt>Scheme</dt><dd>{session.scheme}</dd>
          <dt>Aggregate key</dt><dd><Whole hex={session.aggregatedPublicKey} /></dd>
          {session.coordinator && <><dt>Broadcasts</dt><dd><Id id={session.coordinator.publicKey} /></dd></>}
          {deadline !== undefined && <><dt>Deadline</dt><dd><Moment at={deadline} /></dd></>}
          {session.phase === "complete" && (request.signatures ?? []).map((signature, index) =>
            <><dt key={index}>Signature {index + 1}</dt><dd><Whole hex={signature} /></dd></>)}
        </dl>
      </section>
    </>
  );
}

function Given({ session, request }: { session: Session; request: SigningRequest }) {
  const own = new Set(request.signers.filter((signer) => signer.own).map((signer) => signer.publicKey));
  const mark = (given: boolean) => given ? <Badge kind="good">given</Badge> : <span class="dim">not yet</span>;
  return (
    <Table caption="Who gave what" rows={session.signers} keyOf={(signer) => signer.publicKey}
      columns={[
        { name: "Key", heads: true, cell: (signer) => <><Id id={signer.publicKey} /> {own.has(signer.publicKey) && <Badge kind="plain">own</Badge>}
          {session.culprits?.includes(signer.publicKey) && <Badge kind="bad">to blame</Badge>}{session.missing?.includes(signer.publicKey) && <Badge kind="warn">was missing</Badge>}</> },
        { name: "Join", cell: (signer) => signer.joined || signer.consideringSince === undefined ? mark(signer.joined) : <Badge kind="warn">waits for its owner</Badge> },
        { name: "Nonce", cell: (signer) => mark(signer.nonce) },
        { name: "Partial signature", cell: (signer) => mark(signer.partialSignature) },
      ]} />
  );
}

function WhyItEnded({ session }: { session: Session }) {
  const daemon = useDaemon();
  return (
    <section class="note bad" aria-label="Why it ended">
      <p>It ended without a signature: <Said text={session.reason ?? "no reason is known"} />.{" "}
        {session.partialReleased ? "An own partial signature had been sent." : "No own partial signature was sent."}</p>
      {session.culprits?.length ? <p>Proved to have caused it: {session.culprits.map((key) => <><Id key={key} id={key} /> </>)}</p> : null}
      {session.missing?.length ? <p>Missing: {session.missing.map((key) => <><Id key={key} id={key} /> </>)}</p> : null}
      {session.supersededBy && <p>The next attempt is <Id id={session.supersededBy} href={`/sessions/${session.supersededBy}`} />.</p>}
      {daemon.may("getEvidence") && <Press call={async () => save(`evidence-${session.sessionId.slice(0, 16)}.json`, await daemon.client.getEvidence({ sessionId: session.sessionId }))}>Download the evidence</Press>}
    </section>
  );
}

/** Hands the reader a file. */
function save(name: string, content: unknown): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What the token may order: a round where the wallet drives it, an end, the news of a broadcast. */
function Orders({ session, request, done }: { session: Session; request: SigningRequest; done: () => void }) {
  const daemon = useDaemon();
  const { sessionId, phase } = session;
  const waits = (what: "nonce" | "partialSignature"): boolean =>
    session.signers.some((signer) => !signer[what] && request.signers.some((each) => each.own && each.publicKey === signer.publicKey));
  const then = async (call: Promise<unknown>): Promise<void> => {
    await call;
    done();
  };
  const ended = hasEnded(phase);
  const nonces = session.signers.every((signer) => signer.nonce);
  return (
    <div class="answer">
      {daemon.may("startRound1") && (phase === "ready" || phase === "round1") && waits("nonce") &&
        <Press kind="main" call={() => then(daemon.client.startRound1({ sessionId }))}>Send the nonces</Press>}
      {daemon.may("startRound2") && (phase === "round2" || (phase === "round1" && nonces)) && waits("partialSignature") &&
        <Press kind="main" call={() => then(daemon.client.startRound2({ sessionId }))}>Send the partial signatures</Press>}
      {daemon.may("abortSession") && !ended && <PressWithReason kind="danger" label="Why (for your own log)"
        call={(reason) => then(daemon.client.abortSession({ sessionId, ...(reason && { reason }) }))}>Abort</PressWithReason>}
      {daemon.may("notifyBroadcastComplete") && phase === "complete" && session.coordinator && <Broadcast sessionId={sessionId} done={done} />}
    </div>
  );
}

function Broadcast({ sessionId, done }: { sessionId: string; done: () => void }) {
  const daemon = useDaemon();
  const action = useAction();
  const [txid, setTxid] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await action.run(() => daemon.client.notifyBroadcastComplete({ sessionId, txid }))) done();
  };
  return (
    <form class="reason" onSubmit={(event) => void submit(event)}>
      <label>The transaction is out: its id<input required pattern="[0-9a-f]{64}" spellcheck={false} value={txid} onInput={(event) => setTxid(event.currentTarget.value)} /></label>
      <button disabled={action.busy}>Tell the others</button>
      <Problem text={action.problem} />
    </form>
  );
}
