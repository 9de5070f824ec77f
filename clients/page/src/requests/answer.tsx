import type { PolicyExplained, SigningRequest } from "musigd-client";
import { useState } from "preact/hooks";
import type { Daemon } from "../daemon.js";
import { useDaemon } from "../live.js";
import { Press, PressWithReason } from "../parts/action.js";
import { Id } from "../parts/text.js";
import type { Rulings } from "./policy.js";
import { ENDED, isMine, reviewOf, waitingFor } from "./shown.js";

/** Join or approve, and decline, for each own key that is waited for; cancel for who asked. */
export function Answer({ request, rulings, done }: { request: SigningRequest; rulings: Rulings; done: () => void }) {
  const daemon = useDaemon();
  const then = async (call: Promise<unknown>): Promise<void> => {
    await call;
    done();
    rulings.reload();
  };
  const { requestId } = request;
  const keys = waitingFor(request);
  const asked = keys.length > 0 && !isMine(request);
  const mayCancel = daemon.may("cancelSigningRequest") && isMine(request) && !ENDED.has(request.state);
  const mayAnswer = (["joinSigningRequest", "approveRequest", "declineSigningRequest"] as const).some((each) => daemon.may(each));
  if (!(mayCancel || (keys.length > 0 && mayAnswer))) return null;
  return (
    <section class="answer" aria-label="Your answer">
      <Answers request={request} keys={keys} rulings={rulings} then={then} />
      {asked && daemon.may("dismissRequest") && (
        <Press call={() => then(daemon.client.dismissRequest({ requestId }))}>Hide it, tell nobody</Press>
      )}
      {asked && daemon.may("muteCreator") && (
        <Press call={() => then(daemon.client.muteCreator({ publicKey: request.creator }))}>Take no more from its creator</Press>
      )}
      {mayCancel && (
        <PressWithReason label="Why (all signers see it)"
          call={(reason) => then(daemon.client.cancelSigningRequest({ requestId, ...(reason && { reason }) }))}>Cancel the request</PressWithReason>
      )}
    </section>
  );
}

interface AnswersProps {
  request: SigningRequest;
  keys: readonly string[];
  rulings: Rulings;
  then: (call: Promise<unknown>) => Promise<void>;
}

function Answers({ request, keys, rulings, then }: AnswersProps) {
  const daemon = useDaemon();
  const [aware, setAware] = useState(false);
  const { status } = reviewOf(request);
  const partial = isPartial(request);
  const needsCare = status === "blind" || partial;
  const { requestId } = request;
  // Until the policy is known it is not known either which yes is asked for.
  const known = rulings.data !== undefined || rulings.problem !== "";
  const ways = new Map(keys.map((key) => [key, known && status !== "mismatch" ? wayOf(daemon, rulings.data?.get(key)) : undefined]));
  const yes = {
    Join: (publicKey: string) => daemon.client.joinSigningRequest({ requestId, publicKey, requireChecked: status === "checked" && !partial }),
    Approve: (publicKey: string) => daemon.client.approveRequest({ requestId, publicKey }),
  };
  return (
    <>
      {needsCare && [...ways.values()].some((way) => way !== undefined) && (
        <label class="check"><input type="checkbox" checked={aware} onChange={(event) => setAware(event.currentTarget.checked)} />
          I know what I sign, although {status === "blind" ? "the daemon cannot tell" : "the signature leaves parts open"}
        </label>
      )}
      {keys.map((key) => {
        const way = ways.get(key);
        return (
          <p key={key}>
            {keys.length > 1 && <Id id={key} />}
            {way !== undefined && (!needsCare || aware) && <Press kind="main" call={() => then(yes[way](key))}>{way}</Press>}
            {daemon.may("declineSigningRequest") && (
              <PressWithReason kind="danger" label="Why (all signers see it)"
                call={(reason) => then(daemon.client.declineSigningRequest({ requestId, publicKey: key, ...(reason && { reason }) }))}>Decline</PressWithReason>
            )}
          </p>
        );
      })}
    </>
  );
}

/** Which yes this token may say: its approval where the policy asks for one, a join where nothing but a join is missing. */
function wayOf(daemon: Daemon, said: PolicyExplained | undefined): "Join" | "Approve" | undefined {
  if (said?.verdict === "refuse") return undefined;
  const waits = said !== undefined && said.verdict === "ask" && (said.active || !daemon.may("joinSigningRequest"));
  if (!waits || said.approved) return daemon.may("joinSigningRequest") ? "Join" : undefined;
  if (!daemon.may("approveRequest") || (said.approvals ?? []).some((each) => each.own)) return undefined;
  return "Approve";
}

/** Whether a signature would leave something of the transaction open to change. */
function isPartial(request: SigningRequest): boolean {
  return (reviewOf(request).uncovered ?? []).length > 0;
}
