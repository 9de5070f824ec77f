import { Connection } from "./connection.js";
import { follow, type EventOptions, type EventPattern, type HeardEvent } from "./events.js";
import { IDEMPOTENT, Methods, ONCE, type Calls } from "./generated/methods.js";
import type { FinalSignature } from "./generated/values.js";
import type { CallOptions } from "./options.js";
import { followRequest, waitForSignature, type SignatureOptions } from "./signing.js";
import type { RequestProgress } from "./progress.js";
import { httpTransport, type HttpOptions, type Transport } from "./transport.js";
import { throughRestarts } from "./waiting.js";

export interface ClientOptions {
  /** How long a call goes on while the daemon is away, in milliseconds; 10 seconds when absent. */
  patienceMs?: number | undefined;
}

/**
 * A client of one daemon: every method of the API as a function, and its events.
 *
 * A call is made again while the daemon restarts, with the same idempotency key where it changes something, so that it
 * is carried out once. Those that carry a secret (`importKey`, `unlock`, `changePassphrase`, `createToken`,
 * `createWebhook`) take no such key and are not repeated once they may have arrived.
 */
export class Client extends Methods {
  readonly #connection: Connection;
  readonly #patienceMs: number;

  /** Does not connect; `Client.connect` also asks whether the daemon answers. */
  constructor(transport: Transport, { patienceMs = 10_000 }: ClientOptions = {}) {
    super();
    this.#connection = new Connection(transport);
    this.#patienceMs = patienceMs;
  }

  /** A client of the daemon at that URL. Throws Unreachable or UnauthenticatedError when it does not answer. */
  static async connect(options: HttpOptions & ClientOptions): Promise<Client> {
    return answering(new Client(httpTransport(options), options));
  }

  override async call<M extends keyof Calls>(
    method: M, params: Calls[M][0], { signal, patienceMs = this.#patienceMs }: CallOptions = {},
  ): Promise<Calls[M][1]> {
    const given = IDEMPOTENT.has(method) ? { idempotencyKey: randomKey(), ...params } : params;
    const waitMs = "waitMs" in given ? Number(given.waitMs ?? 0) : 0;
    const end = performance.now() + waitMs;
    const asked = (): object => (waitMs ? { ...given, waitMs: Math.max(0, Math.round(end - performance.now())) } : given);
    const terms = { patienceMs: Math.max(patienceMs, waitMs), repeatable: !ONCE.has(method), signal };
    const answer = await throughRestarts(() => this.#connection.ask(method, asked(), signal), terms);
    return answer as Calls[M][1];
  }

  /**
   * Events from `fromSeq` on, each seq once and in order, for as long as it is iterated: broken connections and
   * restarts of the daemon are bridged. Throws when the daemon has never answered, and when the token is refused.
   */
  events<P extends EventPattern = EventPattern>(options: EventOptions<P> = {}): AsyncGenerator<HeardEvent<P>, void> {
    return follow(this.#connection, options);
  }

  /**
   * The signature of a request, whichever attempt makes it. Waits through restarts of the daemon. Throws
   * DeclinedError, CancelledError, ExpiredError or AbortedError when it will not come, NotReadyError when time is up,
   * Unreachable when the daemon stays away for a minute.
   */
  waitForSignature(requestId: string, options: SignatureOptions = {}): Promise<FinalSignature> {
    return waitForSignature(this, requestId, options);
  }

  /**
   * How far a request is, who is missing and until when: at once, and again whenever that has changed, until it has
   * ended.
   */
  followRequest(requestId: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<RequestProgress, void> {
    return followRequest(this, requestId, options);
  }

  /** Closes the client: waiting calls fail, iterations end. */
  close(): void {
    this.#connection.close();
  }
}

/** The client, once its daemon has answered; it does not wait for one that is away. */
export async function answering<C extends Client>(client: C): Promise<C> {
  await client.getInfo({}, { patienceMs: 0 });
  return client;
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
