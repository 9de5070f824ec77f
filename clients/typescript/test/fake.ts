import { Unreachable } from "../src/index.js";
import type { Endpoint, Transport, WebSocketLike } from "../src/index.js";

type Message = Record<string, unknown>;
type Handler = (params: Message, method: string) => unknown;

/** A daemon in memory: a log of events that its sockets tell, and answers by method; a test breaks it as it likes. */
export class FakeDaemon implements Transport {
  readonly calls: { method: string; params: Message }[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly log: Message[] = [];
  logId = "log 1";
  token: string | undefined = "first";
  accepted: string | undefined = "first";
  webSockets = true;
  answers: Record<string, Handler> = {};

  locate(): Promise<Endpoint> {
    return Promise.resolve({ rpc: "http://fake/rpc", ws: "ws://fake/ws", token: this.token });
  }

  async post(endpoint: Endpoint, body: string): Promise<string> {
    const { method, params } = JSON.parse(body) as { method: string; params: Message };
    this.calls.push({ method, params });
    if (endpoint.token !== this.accepted) return JSON.stringify({ error: refusal("unauthenticated", -32001) });
    const handler = this.answers[method] ?? ((asked) => this.#answer(method, asked));
    try {
      return JSON.stringify({ result: await handler(params, method) });
    } catch (problem) {
      if (problem instanceof Unreachable) throw problem;
      return JSON.stringify({ error: problem });
    }
  }

  open(endpoint: Endpoint): Promise<WebSocketLike | null> {
    if (!this.webSockets) return Promise.resolve(null);
    const socket = new FakeSocket(this);
    this.sockets.push(socket);
    setImmediate(() => (endpoint.token === this.accepted ? socket.onopen?.({} as never) : socket.closed(1006)));
    return Promise.resolve(socket);
  }

  /** Stores an event and tells it to the socket that is open. */
  happen(label: string): void {
    this.log.push({ seq: this.log.length + 1, event: "key:created", time: 0, data: { label } });
    this.sockets.at(-1)?.tell(this.log.at(-1)!);
  }

  get nextSeq(): number {
    return this.log.length + 1;
  }

  #answer(method: string, params: Message): unknown {
    if (method === "getInfo") return { nextSeq: this.nextSeq, logId: this.logId };
    if (method !== "getEvents") return {};
    const from = Math.max(1, Number(params["fromSeq"]));
    return { events: this.log.slice(from - 1), nextSeq: this.nextSeq, logId: this.logId };
  }
}

export class FakeSocket implements WebSocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  asked: Message | undefined;
  #open = true;

  constructor(readonly daemon: FakeDaemon) {}

  send(text: string): void {
    const { params } = JSON.parse(text) as { params: { fromSeq?: number; logId?: string } };
    this.asked = params;
    const other = params.logId !== undefined && params.logId !== this.daemon.logId;
    const from = other ? this.daemon.nextSeq : Math.max(1, params.fromSeq ?? this.daemon.nextSeq);
    this.#message({ id: 1, result: { subscription: "1", nextSeq: from, logId: this.daemon.logId } });
    if (other) this.tell({ event: "events:gap", time: 0, data: { from: 1, to: from - 1 } });
    for (const event of this.daemon.log.slice(from - 1)) this.tell(event);
  }

  tell(event: Message): void {
    this.#message({ method: "subscription", params: { subscription: "1", result: event } });
  }

  close(): void {
    this.#open = false;
  }

  closed(code: number): void {
    this.#open = false;
    this.onclose?.({ code } as never);
  }

  #message(message: Message): void {
    if (this.#open) this.onmessage?.({ data: JSON.stringify(message) } as never);
  }
}

/** An error object as the daemon gives it. */
export function refusal(reason: string, code: number, more: Message = {}): Message {
  return { code, message: `refused: ${reason}`, data: { reason, ...more } };
}
