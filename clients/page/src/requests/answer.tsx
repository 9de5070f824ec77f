import type { SigningRequest } from "musigd-client";
import { useState } from "preact/hooks";
import { useDaemon } from "../live.js";
import { Press, PressWithReason } from "../parts/action.js";
import { Id } from "../parts/text.js";
import { ENDED, isMine, reviewOf, waitingFor } from "./shown.js";

/** Join and decline for each own key that is waited for; cancel for who asked. */
export function Answer({ request, done }: { request: SigningRequest; done: () => void }) {
  const daemon = useDaemon();
  const keys = waitingFor(request);
  const [aware, setAware] = useState(false);
  const verdict = reviewOf(request).status;
  const then = async (call: Promise<unknown>): Promise<void> => {
    await call;
    done();
  };
  const { requestId } = request;
  const join = (publicKey: string): Promise<void> =>
    then(daemon.client.joinSigningRequest({ requestId, publicKey, requireChecked: verdict === "checked" && !isPartial(request) }));
  const needsCare = verdict === "blind" || isPartial(request);
  const mayJoin = daemon.may("joinSigningRequest") && verdict !== "mismatch";
  const mayCancel = daemon.may("cancelSigningRequest") && isMine(request) && !ENDED.has(request.state);
  if (!(mayCancel || (keys.length > 0 && (mayJoin || daemon.may("declineSigningRequest"))))) return null;
  return (
    <section class="answer" aria-label="Your answer">
      {keys.length > 0 && mayJoin && needsCare && (
        <label class="check"><input type="checkbox" checked={aware} onChange={(event) => setAware(event.currentTarget.checked)} />
          I know what I sign, although {verdict === "blind" ? "the daemon cannot tell" : "the signature leaves parts open"}
        </label>
      )}
      {keys.map((key) => (
        <p key={key}>
          {keys.length > 1 && <Id id={key} />}
          {mayJoin && (!needsCare || aware) && <Press kind="main" call={() => join(key)}>Join</Press>}
          {daemon.may("declineSigningRequest") && (
            <PressWithReason kind="danger" label="Why (all signers see it)"
              call={(reason) => then(daemon.client.declineSigningRequest({ requestId, publicKey: key, ...(reason && { reason }) }))}>Decline</PressWithReason>
          )}
        </p>
      ))}
      {keys.length > 0 && !isMine(request) && daemon.may("dismissRequest") && (
        <Press call={() => then(daemon.client.dismissRequest({ requestId }))}>Hide it, tell nobody</Press>
      )}
      {keys.length > 0 && !isMine(request) && daemon.may("muteCreator") && (
        <Press call={() => then(daemon.client.muteCreator({ publicKey: request.creator }))}>Take no more from its creator</Press>
      )}
      {mayCancel && (
        <PressWithReason label="Why (all signers see it)"
          call={(reason) => then(daemon.client.cancelSigningRequest({ requestId, ...(reason && { reason }) }))}>Cancel the request</PressWithReason>
      )}
    </section>
  );
}

/** Whether a signature would leave something of the transaction open to change. */
function isPartial(request: SigningRequest): boolean {
  return (reviewOf(request).uncovered ?? []).length > 0;
}
