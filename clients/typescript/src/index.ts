/** A client of musigd for wallets, in browsers and in Node. In Node see also `musigd-client/node`. */
export { Client, type ClientOptions } from "./client.js";
export { CallFailed, CertificateRefused, MusigdError, Unreachable } from "./errors.js";
export type { EventName, EventOf, EventOptions, EventPattern, GapEvent, HeardEvent } from "./events.js";
export * from "./generated/errors.js";
export type { EventData } from "./generated/events.js";
export type { Calls } from "./generated/methods.js";
export type * from "./generated/values.js";
export type { CallOptions } from "./options.js";
export { NoPairing, pairingLink, readPairing, type Pairing } from "./pairing.js";
export { RequestProgress } from "./progress.js";
export type { SignatureOptions } from "./signing.js";
export { httpTransport, type Endpoint, type HttpOptions, type Transport, type WebSocketLike } from "./transport.js";
export { textMessage } from "./texts.js";
