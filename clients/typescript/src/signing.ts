import type { Client } from "./client.js";
import { NotFoundError, NotReadyError } from "./generated/errors.js";
import type { FinalSignature } from "./generated/values.js";
import { RequestProgress } from "./progress.js";

const LONGEST_WAIT_MS = 60_000;
const PROGRESS_EVERY_MS = 2_000;
const AWAY_MS = 60_000;

export interface SignatureOptions {
  /** Gives up with NotReadyError after this time; absent: never. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called about every 2 s with the `phase` and the awaited keys, `waitingFor`. */
  onWaiting?: ((state: NotReadyError["data"]) => void) | undefined;
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
      return await client.getFinalSignature({ requestId, waitMs }, { signal, patienceMs: Math.min(left, AWAY_MS) });
    } catch (problem) {
      if (!(problem instanceof NotReadyError) || performance.now() >= end) throw problem;
      onWaiting?.(problem.data);
    }
  }
}

export async function* followRequest(
  client: Client, requestId: string, { signal }: { signal?: AbortSignal },
): AsyncGenerator<RequestProgress, void> {
  const { nextSeq, logId } = await client.getInfo({}, { signal });
  let told = await progressOf(client, requestId, signal);
  yield told;
  if (told.ended) return;
  for await (const _ of client.events({ fromSeq: nextSeq, logId, filter: { requestId }, signal })) {
    const now = await progressOf(client, requestId, signal);
    if (JSON.stringify(now) !== JSON.stringify(told)) yield now;
    told = now;
    if (told.ended) return;
  }
}

async function progressOf(client: Client, requestId: string, signal?: AbortSignal): Promise<RequestProgress> {
  const request = await client.getSigningRequest({ requestId }, { signal });
  const asked = client.getSession({ sessionId: request.sessionId }, { signal });
  const session = await asked.catch((problem: unknown) => {
    if (problem instanceof NotFoundError) return undefined;
    throw problem;
  });
  return new RequestProgress(request, session);
}
