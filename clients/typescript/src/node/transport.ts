import { request } from "node:http";
import {
  headersOf, openWebSocket, postByFetch, protocolsOf, silenceOf,
  type Endpoint, type Transport, type WebSocketLike,
} from "../transport.js";

/** By `fetch`, or `node:http` for a unix socket; events by Node's own WebSocket (22 or newer) or the package ws. */
export function nodeTransport(locate: () => Promise<Endpoint>): Transport {
  return {
    locate,
    post: (endpoint, body, signal) =>
      endpoint.socket === undefined ? postByFetch(endpoint, body, signal) : postBySocket(endpoint, body, signal),
    open: async (endpoint) =>
      (endpoint.socket === undefined ? openWebSocket(endpoint) : null) ?? openByPackage(endpoint),
  };
}

function postBySocket(endpoint: Endpoint, body: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (problem: Error): void => reject(signal.aborted ? signal.reason : silenceOf(endpoint, problem));
    const path = new URL(endpoint.rpc).pathname;
    const options = { socketPath: endpoint.socket, path, method: "POST", headers: headersOf(endpoint), signal };
    const asked = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve(text)).on("error", failed);
    });
    asked.on("error", failed).end(body);
  });
}

/** null when the package is not installed: then events are read page by page. */
async function openByPackage(endpoint: Endpoint): Promise<WebSocketLike | null> {
  const found = await import("ws").catch(() => null);
  if (found === null) return null;
  const url = endpoint.socket === undefined ? endpoint.ws : `ws+unix:${endpoint.socket}:${new URL(endpoint.ws).pathname}`;
  return new found.WebSocket(url, protocolsOf(endpoint)) as unknown as WebSocketLike;
}
