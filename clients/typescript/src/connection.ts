import { resultOf } from "./answers.js";
import { MusigdError, Unreachable } from "./errors.js";
import { openFeed, type Feed } from "./feed.js";
import type { Endpoint, Transport } from "./transport.js";
import { isRefused, linked } from "./waiting.js";

const ANSWER_WITHIN_MS = 60_000;

/** The connection to one daemon, which is found again when its address or token has changed. */
export class Connection {
  #endpoint: Endpoint | undefined;
  #calls = 0;
  #answered = false;
  readonly #closing = new AbortController();

  constructor(readonly transport: Transport) {}

  /** Aborted when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether the daemon has ever answered: from then on its silence is a restart, before that a wrong address. */
  get answered(): boolean {
    return this.#answered;
  }

  /** One call. When nothing listens or the token is refused, the place is looked up again once. */
  async ask(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: ++this.#calls, method, params });
    const waitMs = "waitMs" in params ? Number(params.waitMs) : 0;
    const asked = linked(waitMs + ANSWER_WITHIN_MS, this.closing, signal);
    try {
      const result = await this.#post(body, asked.signal);
      this.#answered = true;
      return result;
    } finally {
      asked.release();
    }
  }

  /** Events over a WebSocket, from where the place is now; null where there is none. */
  async feed(params: object, signal?: AbortSignal): Promise<Feed | null> {
    this.#endpoint = await this.transport.locate();
    const socket = await this.transport.open(this.#endpoint);
    if (socket === null) return null;
    const feed = await openFeed(socket, params, [this.closing, signal]);
    this.#answered = true;
    return feed;
  }

  close(): void {
    this.#closing.abort(new MusigdError("the client was closed"));
  }

  async #post(body: string, signal: AbortSignal): Promise<unknown> {
    const before = (this.#endpoint ??= await this.transport.locate());
    try {
      return resultOf(await this.transport.post(before, body, signal));
    } catch (problem) {
      if (!isRefused(problem) && !(problem instanceof Unreachable && problem.nobody)) throw problem;
      const found = await this.transport.locate();
      if (isSame(found, before)) throw problem;
      this.#endpoint = found;
      return resultOf(await this.transport.post(found, body, signal));
    }
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.rpc === other.rpc && one.token === other.token && one.socket === other.socket;
}
