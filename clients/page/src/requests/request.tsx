import type { Session, SigningRequest } from "musigd-client";
import { useDaemon, useLive, useNow } from "../live.js";
import { Problem } from "../parts/action.js";
import { Table } from "../parts/table.js";
import { Badge, Id, Moment, Said, Whole } from "../parts/text.js";
import { Answer } from "./answer.js";
import { Policy, usePolicy } from "./policy.js";
import { Left, REQUEST_TOPICS, StateBadge, VerdictBadge } from "./requests.js";
import { ENDED, reviewOf } from "./shown.js";
import { Signed } from "./signed.js";

interface Loaded {
  request: SigningRequest;
  session: Session | undefined;
}

/** One request: what is signed, by whom, how far it is, and what can be done about it. */
export function RequestDetail({ requestId }: { requestId: string }) {
  const daemon = useDaemon();
  const { data, problem, reload } = useLive<Loaded>(async (_, signal) => {
    const request = await daemon.client.getSigningRequest({ requestId }, { signal });
    const sessions = await daemon.client.listSessions({ requestId, limit: 1 }, { signal });
    return { request, session: sessions.sessions[0] };
  }, REQUEST_TOPICS, requestId);
  return (
    <>
      <h1 tabIndex={-1}>Request</h1>
      <p><a href="/requests">All requests</a></p>
      <Problem text={problem} />
      {data === undefined ? !problem && <p role="status">Loading …</p> : <Detail {...data} reload={reload} />}
    </>
  );
}

function Detail({ request, session, reload }: Loaded & { reload: () => void }) {
  const now = useNow();
  const rulings = usePolicy(request);
  return (
    <>
      <p class="bar" role="status"><StateBadge request={request} /> <VerdictBadge request={request} /> <Ending request={request} /></p>
      <Answer request={request} rulings={rulings} done={reload} />
      <Verdict request={request} />
      <Policy rulings={rulings} />
      <Signed request={request} />
      <section aria-labelledby="who">
        <h2 id="who">Who signs</h2>
        <Turn request={request} session={session} />
        <Table caption="Signers" rows={request.signers} keyOf={(signer) => signer.publicKey}
          columns={[
            { name: "Key", heads: true, cell: (signer) => <><Id id={signer.publicKey} /> {signer.own && <Badge kind="plain">own</Badge>}{signer.publicKey === request.creator && <Badge kind="plain">asks</Badge>}</> },
            { name: "Has the request", cell: (signer) => signer.delivered || signer.own ? "yes" : "not yet" },
            { name: "Answer", cell: (signer) => signer.joined ? <Badge kind="good">joined</Badge> : signer.declined
              ? <><Badge kind="bad">declined</Badge> {signer.declineReason && <Said text={signer.declineReason} />}</> : <NotYet since={signer.consideringSince} /> },
          ]} />
      </section>
      <section aria-labelledby="facts">
        <h2 id="facts">Facts</h2>
        <dl>
          <dt>Request</dt><dd><Whole hex={request.requestId} /></dd>
          <dt>Session</dt><dd>{session ? <a href={`/sessions/${session.sessionId}`}><Whole hex={session.sessionId} /></a> : "not begun"} (attempt {request.attempt})</dd>
          <dt>Scheme</dt><dd>{request.scheme}</dd>
          <dt>Aggregate key</dt><dd><Whole hex={request.aggregatedPublicKey} /></dd>
          <dt>Asked</dt><dd><Moment at={request.createdAt} /></dd>
          {!ENDED.has(request.state) && <><dt>Time left</dt><dd><Left until={request.expiresAt} now={now} /></dd></>}
          {(request.signatures ?? []).map((signature, index) => <><dt key={index}>Signature {index + 1}</dt><dd><Whole hex={signature} /></dd></>)}
        </dl>
      </section>
    </>
  );
}

/** Its owner was asked and thinks about it, or it has said nothing at all. */
function NotYet({ since }: { since: number | undefined }) {
  return since === undefined ? <span class="dim">none yet</span> : <><Badge kind="warn">waits for its owner</Badge> since <Moment at={since} /></>;
}

function Ending({ request }: { request: SigningRequest }) {
  const said = request.cancelReason ?? request.signers.find((signer) => signer.declineReason)?.declineReason;
  return <>{request.reason && <Said text={request.reason} />} {said && <>“<Said text={said} />”</>}</>;
}

function Verdict({ request }: { request: SigningRequest }) {
  const { status: verdict, message, uncovered = [] } = reviewOf(request);
  return (
    <>
      {verdict === "blind" && <p class="note warn">Blind: the daemon cannot tell what these messages are. Whoever signs them trusts who asks.</p>}
      {verdict === "mismatch" && <p class="note bad">What is to be signed is not what is shown. The daemon signs none of it. {message && <Said text={message} />}</p>}
      {uncovered.length > 0 && <p class="note warn">The signature leaves open to change: {uncovered.join(", ")}.</p>}
      {(request.outsideCriteria ?? []).map((each) => <p key={each.criterion + each.publicKey} class="note warn">Outside your own offer: <Said text={each.message} /></p>)}
    </>
  );
}

const PHASES: Record<string, [string, "joined" | "nonce" | "partialSignature"]> = {
  joining: ["to join", "joined"],
  ready: ["to begin", "nonce"],
  round1: ["for the nonce", "nonce"],
  round2: ["for the partial signature", "partialSignature"],
};

function Turn({ request, session }: { request: SigningRequest; session: Session | undefined }) {
  if (ENDED.has(request.state) || !session) return null;
  const phase = PHASES[session.phase];
  if (!phase) return null;
  const missing = session.signers.filter((signer) => !signer[phase[1]]);
  if (!missing.length) return null;
  return <p>Whose turn it is: {missing.map((signer) => <Id key={signer.publicKey} id={signer.publicKey} />)} {phase[0]}.</p>;
}
