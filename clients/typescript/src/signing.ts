import type { Client } from "./client.js";
import type { EventOf } from "./events.js";
import { NotReadyError } from "./generated/errors.js";
import type { FinalSignature, SigningRequest } from "./generated/values.js";

const LONGEST_WAIT_MS = 60_000;
const PROGRESS_EVERY_MS = 2_000;
const ENDED = new Set(["complete", "declined", "cancelled", "expired", "failed"]);

export interface SignatureOptions {
  /** Gives up with NotReadyError after so long; absent: never. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told every 2 s or so how far it is, `phase`, and on which keys it waits, `waitingFor`. */
  onWaiting?: ((state: NotReadyError["data"]) => void) | undefined;
}

/** A request, and the event that changed it; the first one has none. */
export interface RequestStep {
  request: SigningRequest;
  event?: EventOf;
}

export async function waitForSignature(
  client: Client, requestId: string, { timeoutMs = Infinity, signal, onWaiting }: SignatureOptions,
): Promise<FinalSignature> {
  const end = performance.now() + timeoutMs;
  const most = onWaiting ? PROGRESS_EVERY_MS : LONGEST_WAIT_MS;
  for (;;) {
    const left = Math.max(0, end - performance.now());
    try {
      const waitMs = Math.round(Math.min(left, most));
      return await client.getFinalSignature({ requestId, waitMs }, { signal, patienceMs: left });
    } catch (problem) {
      if (!(problem instanceof NotReadyError) || performance.now() >= end) throw problem;
      onWaiting?.(problem.data);
    }
  }
}

export async function* followRequest(
  client: Client, requestId: string, { signal }: { signal?: AbortSignal },
): AsyncGenerator<RequestStep, void> {
  const { nextSeq, logId } = await client.getInfo({}, { signal });
  let request = await client.getSigningRequest({ requestId }, { signal });
  yield { request };
  if (ENDED.has(request.state)) return;
  for await (const event of client.events({ fromSeq: nextSeq, logId, filter: { requestId }, signal })) {
    request = await client.getSigningRequest({ requestId }, { signal });
    yield event.event === "events:gap" ? { request } : { request, event };
    if (ENDED.has(request.state)) return;
  }
}
