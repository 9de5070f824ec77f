/** The same client in Node: found through the daemon's data directory, a token file or a unix socket. */
import { answering, Client as BrowserClient, type ClientOptions } from "../client.js";
import { locatorOf, type Place } from "./locator.js";
import { nodeTransport } from "./transport.js";

export * from "../index.js";
export type { Place } from "./locator.js";

/** See the client of `musigd-client`; `connect` knows more places. */
export class Client extends BrowserClient {
  /**
   * A client of the daemon of that data directory, at that URL, or behind that unix socket; with none of them it goes
   * by MUSIG_URL and MUSIG_TOKEN_FILE, then MUSIGD_DATADIR, then the usual data directory. Throws Unreachable or
   * UnauthenticatedError when the daemon does not answer.
   */
  static override async connect(options: Place & ClientOptions = {}): Promise<Client> {
    return answering(new Client(nodeTransport(locatorOf(options, process.env)), options));
  }
}
