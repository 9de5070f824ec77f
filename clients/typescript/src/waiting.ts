import { CallFailed, CertificateRefused, Unreachable } from "./errors.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Waits; throws the signal's reason when it comes first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** One signal out of several and a time limit. `release` lets the others forget it. */
export function linked(timeoutMs: number, ...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const late = new Unreachable(`no answer came within ${timeoutMs} ms; the call may have been carried out`);
  const timer = setTimeout(() => controller.abort(late), timeoutMs);
  const undo = signals.map((signal) => {
    const stop = (): void => controller.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    return () => signal?.removeEventListener("abort", stop);
  });
  const release = (): void => {
    clearTimeout(timer);
    undo.forEach((each) => each());
  };
  return { signal: controller.signal, release };
}

/** Growing pauses between attempts. */
export class Pauses {
  #next = FIRST_PAUSE_MS;

  next(): number {
    const pause = this.#next;
    this.#next = Math.min(2 * pause, LONGEST_PAUSE_MS);
    return pause;
  }

  reset(): void {
    this.#next = FIRST_PAUSE_MS;
  }
}

/** Whether the daemon is away: it is stopping, nothing listens, or the connection broke. */
export function isAway(problem: unknown): boolean {
  if (problem instanceof CertificateRefused) return false;
  return problem instanceof Unreachable || (problem instanceof CallFailed && problem.reason === "shutting_down");
}

/** Whether the daemon refuses the token. */
export function isRefused(problem: unknown): boolean {
  return problem instanceof CallFailed && problem.reason === "unauthenticated";
}

/** How long the daemon asks to wait before the call is made again; null when it does not. */
export function toldToWait(problem: unknown): number | null {
  const wait = problem instanceof CallFailed ? problem.data["retryAfterMs"] : undefined;
  return typeof wait === "number" ? wait : null;
}

/**
 * The answer of `ask`, asked again until `patienceMs` are over while the daemon is away or asks to wait.
 *
 * A refused token is tried again only after the daemon was away: its new cookie may come a moment after its listener.
 * `repeatable` false: a call that may have been carried out is not repeated.
 */
export async function throughRestarts<T>(
  ask: () => Promise<T>,
  terms: { patienceMs: number; repeatable: boolean; signal?: AbortSignal | undefined },
): Promise<T> {
  const end = performance.now() + terms.patienceMs;
  const pauses = new Pauses();
  for (let wasAway = false; ; ) {
    try {
      return await ask();
    } catch (problem) {
      const pause = pauseAfter(problem, wasAway, terms.repeatable, pauses);
      if (pause === null || performance.now() + pause > end) throw problem;
      wasAway ||= isAway(problem);
      await sleep(pause, terms.signal);
    }
  }
}

/** How long to wait before the call is made again; null when it is not. */
function pauseAfter(problem: unknown, wasAway: boolean, repeatable: boolean, pauses: Pauses): number | null {
  if (problem instanceof Unreachable && !repeatable && !problem.nobody) return null;
  if (isAway(problem) || (wasAway && isRefused(problem))) return pauses.next();
  return toldToWait(problem);
}
