// One WebSocket with one subscription. What arrives is queued; a reader that falls behind loses the connection, not an
// event: the queue is read to its end, and the next connection continues from there. An idle subscription hears
// events:progress every 15 s, so that silence means a dead connection, which a browser would not notice.
import { errorOf, isRecord } from "./answers.js";
import { Unreachable } from "./errors.js";
import type { WebSocketLike } from "./transport.js";

const MOST_QUEUED = 1_000;
const SILENCE_MS = 45_000;
const OPEN_WITHIN_MS = 20_000;
const REVOKED = 4401;

/** An event as it came. */
export interface Said {
  seq?: number;
  event: string;
  time: number;
  data: Record<string, unknown>;
}

/** Where a subscription begins, and its events until the connection ends, which throws. */
export interface Feed {
  readonly nextSeq: number;
  readonly logId: string;
  readonly said: AsyncIterable<Said>;
  close(): void;
}

/** Opens and subscribes. Throws Unreachable when it does not open, CallFailed when the daemon refuses. */
export async function openFeed(
  socket: WebSocketLike, params: object, signals: readonly (AbortSignal | undefined)[],
): Promise<Feed> {
  const queue = new Queue(socket, signals);
  socket.onopen = () => {
    queue.heard(SILENCE_MS);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "subscribe", params }));
  };
  try {
    const answer = await queue.next();
    if (isRecord(answer["error"])) throw errorOf(answer["error"]);
    const { nextSeq, logId } = answer["result"] as { nextSeq: number; logId: string };
    return { nextSeq, logId, said: notifications(queue), close: () => queue.close() };
  } catch (problem) {
    queue.close();
    throw problem;
  }
}

async function* notifications(queue: Queue): AsyncGenerator<Said> {
  for (;;) {
    const message = await queue.next();
    if (message["method"] === "subscription") yield (message["params"] as { result: Said }).result;
  }
}

class Queue {
  readonly #messages: Record<string, unknown>[] = [];
  readonly #undo: (() => void)[] = [];
  #ended: Error | undefined;
  #wake: () => void = () => {};
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly socket: WebSocketLike, signals: readonly (AbortSignal | undefined)[]) {
    socket.onmessage = (event: { data: unknown }) => this.#take(event.data);
    socket.onclose = (event: { code: number }) => this.#end(endOf(event.code));
    socket.onerror = () => this.#end(new Unreachable("the WebSocket broke"));
    for (const signal of signals) {
      const stop = (): void => this.#end(signal?.reason);
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop, { once: true });
      this.#undo.push(() => signal?.removeEventListener("abort", stop));
    }
    this.heard(OPEN_WITHIN_MS);
  }

  /** The connection lives; it is given up when nothing comes for so long. */
  heard(silenceMs: number): void {
    clearTimeout(this.#watch);
    if (this.#ended) return;
    this.#watch = setTimeout(() => this.#end(new Unreachable("the WebSocket fell silent")), silenceMs);
  }

  /** The next message, also after the end while there are some; then throws why it ended. */
  async next(): Promise<Record<string, unknown>> {
    while (this.#messages.length === 0) {
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#messages.shift()!;
  }

  close(): void {
    this.#end(new Unreachable("the connection was closed"));
  }

  #take(text: unknown): void {
    if (this.#ended) return;
    this.heard(SILENCE_MS);
    const message: unknown = JSON.parse(String(text));
    if (isRecord(message)) this.#messages.push(message);
    if (this.#messages.length >= MOST_QUEUED) this.#end(new Unreachable("the reader is slower than the events"));
    this.#wake();
  }

  #end(why: Error): void {
    if (this.#ended) return;
    this.#ended = why;
    clearTimeout(this.#watch);
    this.#undo.forEach((each) => each());
    this.socket.close();
    this.#wake();
  }
}

function endOf(code: number): Error {
  const refused = { code: -32001, message: "the token was revoked or has expired", data: { reason: "unauthenticated" } };
  return code === REVOKED ? errorOf(refused) : new Unreachable(`the connection has ended (close code ${code})`);
}
