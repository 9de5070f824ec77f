import { CertificateRefused, Unreachable } from "./errors.js";

/** The address of the daemon and the token for it. Both may change when it restarts. */
export interface Endpoint {
  /** The URL of `POST /rpc`. */
  readonly rpc: string;
  /** The URL of the WebSocket. */
  readonly ws: string;
  readonly token?: string | undefined;
  /** In Node: the unix socket to go through, whatever host the URLs name. */
  readonly socket?: string | undefined;
}

/** What the client needs of a WebSocket; the browser's has it, and so has that of the package ws. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** How a client reaches its daemon. */
export interface Transport {
  /** Looks address and token up again: a file may have changed. Throws Unreachable. */
  locate(): Promise<Endpoint>;
  /** The body of the answer to one `POST`, whatever its status. Throws Unreachable, or the signal's reason. */
  post(endpoint: Endpoint, body: string, signal: AbortSignal): Promise<string>;
  /** A WebSocket that is about to open; null where there is none. */
  open(endpoint: Endpoint): Promise<WebSocketLike | null>;
}

export interface HttpOptions {
  /** Where the daemon answers, such as `http://127.0.0.1:8327`; the page's own origin when absent. */
  url?: string | undefined;
  /** The token, or a function that reads it: it is asked again when the daemon refuses the last one. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
}

/** By `fetch` and `WebSocket`, as browsers and Node have them. */
export function httpTransport({ url, token }: HttpOptions): Transport {
  const place = addressOf(url ?? globalThis.location.origin);
  return {
    locate: async () => ({ ...place, token: typeof token === "function" ? await token() : token }),
    post: postByFetch,
    open: async (endpoint) => openWebSocket(endpoint),
  };
}

/** The two URLs of a daemon from one of them, or from the address alone. */
export function addressOf(url: string): { rpc: string; ws: string } {
  const base = url.replace(/\/+$/, "").replace(/\/rpc$/, "");
  if (!/^https?:\/\/./.test(base)) throw new TypeError("the URL must begin with http:// or https://");
  return { rpc: `${base}/rpc`, ws: `${base.replace(/^http/, "ws")}/ws` };
}

export async function postByFetch(endpoint: Endpoint, body: string, signal: AbortSignal): Promise<string> {
  try {
    // A daemon never redirects; whoever does would be given the call, with what is secret in it.
    const answer = await fetch(endpoint.rpc, { method: "POST", headers: headersOf(endpoint), body, signal, redirect: "error" });
    return await answer.text();
  } catch (problem) {
    signal.throwIfAborted();
    throw silenceOf(endpoint, problem instanceof Error ? problem.cause : undefined);
  }
}

export function headersOf({ token }: Endpoint): Record<string, string> {
  return { "Content-Type": "application/json", ...(token === undefined ? {} : { Authorization: `Bearer ${token.trim()}` }) };
}

/** A browser cannot set headers on a WebSocket, so the token goes as a subprotocol; it never stands in a URL. */
export function protocolsOf({ token }: Endpoint): string[] {
  return token === undefined ? ["musigd"] : ["musigd", `bearer.${token.trim()}`];
}

export function openWebSocket(endpoint: Endpoint): WebSocketLike | null {
  if (typeof WebSocket === "undefined") return null;
  return new WebSocket(endpoint.ws, protocolsOf(endpoint)) as WebSocketLike;
}

// Of OpenSSL's results of a verification, and Node's own for a name that the certificate does not hold.
const CERTIFICATE = /CERT|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH/;

/** The sentence for when no answer came. Only Node tells whether anybody listened. */
export function silenceOf(endpoint: Endpoint, cause: unknown): Unreachable {
  const code = (cause as { code?: unknown } | undefined)?.code;
  const place = endpoint.socket ?? endpoint.rpc;
  if (code === "ECONNREFUSED" || code === "ENOENT") return new Unreachable(`no daemon answers at ${place}`, true);
  if (typeof code === "string" && CERTIFICATE.test(code)) {
    const remedy = "trust it (NODE_EXTRA_CA_CERTS names its file), and call a name that it holds";
    return new CertificateRefused(`the certificate at ${place} is not accepted here (${code}): ${remedy}`);
  }
  const why = typeof code === "string" ? ` (${code})` : "";
  return new Unreachable(`no answer came from ${place}${why}; the call may have been carried out${hint(endpoint)}`);
}

/** A browser does not say when it is the daemon that keeps a page of another origin away. */
function hint({ rpc }: Endpoint): string {
  const { origin } = globalThis.location ?? {};
  if (origin === undefined || origin === new URL(rpc).origin) return "";
  return `; the daemon's setting rpc.allowed_origins must have this page's origin, ${origin}`;
}
