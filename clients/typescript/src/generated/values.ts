// Written by `python -m rpc.schema.generate_typescript` from the API's description; do not edit.

/** A compressed public key: 33 bytes as lower-case hex. */
export type PublicKey = string;

/** 32 bytes as lower-case hex. */
export type Hex32 = string;

/** 64 bytes as lower-case hex. */
export type Hex64 = string;

/** Whole bytes as lower-case hex. */
export type Hex = string;

/** Ends the request for this key. */
export interface AbortSession {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
  publicKey?: PublicKey;
  /** for the own event session:aborted; no peer is told; text (at most 200 characters) */
  reason?: string;
}

/** Keeps a signer, in place of what was known of this key. */
export interface AddContact {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** musigd://pair?..., as musig-cli pair shows it; text (1 to 2000 characters) */
  link: string;
  /** instead of the one in the link; text (at most 100 characters) */
  nickname?: string;
}

/** Publishes an own key and its terms; repeating it replaces the earlier advertisement. */
export interface AdvertiseSigner {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey: PublicKey;
  criteria: Criteria;
  /** milliseconds; 24 hours when absent, at most 7 days; integer (1000 to 604800000) */
  ttl?: number;
  metadata?: SignerMetadata;
}

/** The advertisement as published. */
export interface Advertised {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  peerId: string;
  multiaddrs: readonly string[];
  criteria: ShownCriteria;
  metadata?: Record<string, unknown>;
  timestamp: number;
  expiresAt: number;
  signature: Hex64;
  envelope: Hex;
  own: boolean;
  localReputation?: LocalReputation;
  reach: Reach;
}

/** A signer's signed offer; `envelope` is for those who verify it themselves, `metadata` is whatever it wrote. */
export interface Advertisement {
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  peerId: string;
  multiaddrs: readonly string[];
  criteria: ShownCriteria;
  metadata?: Record<string, unknown>;
  timestamp: number;
  expiresAt: number;
  signature: Hex64;
  envelope: Hex;
  own: boolean;
  localReputation?: LocalReputation;
}

/** Own advertisements in force. */
export interface AdvertisementList {
  advertisements: readonly Advertisement[];
}

/**
 * The aggregate key of those keys, in any order; nothing is stored. What no request could spend is refused:
 * fewer than two keys, one of them twice, a key known to sign another scheme.
 */
export interface AggregateKeys {
  /** array (2 to 100) of public key */
  publicKeys: readonly PublicKey[];
  scheme: "lotus" | "bip340";
  /** array (at most 16) of TaprootTweak or PlainTweak */
  tweaks?: readonly (TaprootTweak | PlainTweak)[];
  /**
   * for the address: main, test, regtest, or the daemon's own, which it is when absent; name (1 to 32 of a-z,
   * 0-9, -)
   */
  network?: string;
}

/** `aggregatedPublicKey` is the tweaked key that signatures verify under, `internalPublicKey` the one before. */
export interface AggregatedKey {
  aggregatedPublicKey: PublicKey;
  internalPublicKey: PublicKey;
  xOnlyPublicKey: Hex32;
  publicKeys: readonly PublicKey[];
  scheme: "lotus" | "bip340";
  scriptPubKey: Hex;
  address: string;
}

/** Asks exactly those keys to sign; `publicKey` is the own key that creates it and joins. */
export interface AnnounceSigningRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  /** array (2 to 100) of public key */
  requiredPublicKeys: readonly PublicKey[];
  /** either this or `messages` */
  message?: Hex32;
  /** array (1 to 100) of MessageItem */
  messages?: readonly MessageItem[];
  publicKey: PublicKey;
  /** of `message`; in `messages` each item has its own; array (at most 16) of TaprootTweak or PlainTweak */
  tweaks?: readonly (TaprootTweak | PlainTweak)[];
  /** the input that `message` belongs to; in `messages` each item has its own */
  inputIndex?: number;
  /** milliseconds; 24 hours when absent, at most 7 days; integer (1000 to 604800000) */
  ttl?: number;
  /** how long an attempt may take once all have joined; 10 minutes when absent; integer (1000 to 86400000) */
  roundMs?: number;
  metadata?: RequestMetadata;
  /** null: no coordinator is elected; Election or null; default `{"method":"lexicographic"}` */
  election?: Election;
  /** false: startRound1 and startRound2 are called by the wallet; boolean; default `true` */
  autoAdvance?: boolean;
}

/** The request is stored and on its way; its creator has joined. */
export interface Announced {
  /** position of the event log after the change */
  seq?: number;
  requestId: Hex32;
  sessionId: Hex32;
  request: SigningRequest;
}

/** Says yes to a request for one own key, until then or as long as it lasts. Saying no: `declineSigningRequest`. */
export interface ApproveRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  publicKey: PublicKey;
  /** after it nothing more is signed on this approval */
  until?: number;
}

/** How many have said yes, and whether that was enough, so that the key has joined. */
export interface Approved {
  /** position of the event log after the change */
  seq?: number;
  requestId: Hex32;
  publicKey: PublicKey;
  approvalsNeeded: number;
  /** how many of `approvals` count; integer; default `0` */
  approvalsGiven?: number;
  /** the labels whose approval counts; empty: any token's */
  approvalsOf?: readonly string[];
  approvals: readonly GivenApproval[];
  joined: boolean;
}

/** One line. `hash` is over the line before, `seq`, `time` and the facts (docs/security.md). */
export interface AuditLine {
  seq: number;
  time: number;
  /** `call`, `partial` or the name of an event */
  what: string;
  facts: Record<string, unknown>;
  hash: Hex32;
}

/** Lines in order. `anchor` is where the log stands: keep it elsewhere. */
export interface AuditPage {
  lines: readonly AuditLine[];
  nextSeq: number;
  anchor: string;
}

/** `problem` says where it shows that it is not. */
export interface AuditVerified {
  valid: boolean;
  /** seq of the last line */
  lines?: number;
  anchor?: string;
  problem?: string;
}

/** A ban in force. */
export interface Ban {
  peerId: string;
  until: number;
  reason?: string;
}

/** Bans in force. */
export interface BanList {
  bans: readonly Ban[];
}

/** Refuses a peer for a while. */
export interface BanPeer {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** text (1 to 128 characters) */
  peerId: string;
  /** integer (1 to 315360000000) */
  durationMs: number;
  /** text (at most 200 characters) */
  reason?: string;
}

/** The ban as it now stands. */
export interface Banned {
  /** position of the event log after the change */
  seq?: number;
  peerId: string;
  until: number;
  reason?: string;
}

/** Which transaction a signer says that it broadcast. */
export interface BroadcastClaim {
  publicKey: PublicKey;
  txid: Hex32;
}

/** Ends a request for all; by its creator. */
export interface CancelSigningRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  /** text (at most 200 characters) */
  reason?: string;
}

/** Encrypts the keys under a new passphrase. */
export interface ChangePassphrase {
  /** without the line break that its file ends in; text (1 to 1024 characters) */
  passphrase: string;
  /** text (1 to 1024 characters) */
  newPassphrase: string;
}

/** The key after the change. */
export interface ChangedKey {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  label: string;
  external: boolean;
  paused: boolean;
  createdAt: number;
}

/** The request after the change. */
export interface ChangedRequest {
  /** position of the event log after the change */
  seq?: number;
  requestId: Hex32;
  sessionId: Hex32;
  attempt: number;
  state: "open" | "signing" | "complete" | "declined" | "cancelled" | "expired" | "failed";
  scheme: "lotus" | "bip340";
  requiredPublicKeys: readonly PublicKey[];
  messages: readonly ReviewedItem[];
  message: Hex32;
  /** array (at most 16) of TaprootTweak or PlainTweak */
  tweaks: readonly (TaprootTweak | PlainTweak)[];
  aggregatedPublicKey: PublicKey;
  creator: PublicKey;
  createdAt: number;
  expiresAt: number;
  metadata: Record<string, unknown>;
  election?: Election;
  signers: readonly RequestSigner[];
  partialReleased: boolean;
  /** what is signed, as this daemon has checked and decoded it */
  review?: Review;
  /** what own keys do not advertise to do, going by what `metadata` states */
  outsideCriteria?: readonly OutsideCriterion[];
  /** why it ended without a signature */
  reason?: string;
  /** what its creator gave as the reason, if anything */
  cancelReason?: string;
  signature?: Hex64;
  signatures?: readonly Hex64[];
  envelope: Hex;
}

/** The session after the change. */
export interface ChangedSession {
  /** position of the event log after the change */
  seq?: number;
  sessionId: Hex32;
  requestId: Hex32;
  attempt: number;
  phase: "joining" | "ready" | "round1" | "round2" | "complete" | "aborted";
  scheme: "lotus" | "bip340";
  aggregatedPublicKey: PublicKey;
  message: Hex32;
  messages: readonly ReviewedItem[];
  signers: readonly SessionSigner[];
  coordinator?: Coordinator;
  deadline?: number;
  partialReleased: boolean;
  reason?: string;
  culprits?: readonly PublicKey[];
  missing?: readonly PublicKey[];
  supersededBy?: Hex32;
}

/** What a signer says of itself; a claim, nothing more. */
export interface ClaimedReputation {
  /** integer (0 to 100) */
  score?: number;
  completedSignings?: number;
  failedSignings?: number;
  averageResponseTime?: number;
  verifiedIdentity?: boolean;
}

/** Ends the request for this key and takes the session out of the lists; a signature is kept. */
export interface CloseSession {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
}

/** It is closed. */
export interface Closed {
  /** position of the event log after the change */
  seq?: number;
  closed: boolean;
}

/** Dials a peer; the address ends in /p2p/<peerId>. */
export interface ConnectPeer {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** or a pairing link, musigd://pair?...; text (1 to 2000 characters) */
  multiaddr: string;
}

/** The peer, which is connected now. */
export interface ConnectedPeer {
  /** position of the event log after the change */
  seq?: number;
  peerId: string;
  /** true: it is connected, but not by this address, which was not tried to the end and is not kept */
  alreadyConnected: boolean;
}

/** A signer whom the owner knows. The nickname is the link's, or the owner's own. */
export interface Contact {
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  nickname?: string;
  peerId: string;
  multiaddrs: readonly string[];
  since: number;
}

/** The contact as it is kept. */
export interface ContactAdded {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  nickname?: string;
  peerId: string;
  multiaddrs: readonly string[];
  since: number;
  /** whether the daemon of the contact could be reached just now */
  connected: boolean;
}

/** Contacts, by nickname. */
export interface ContactList {
  contacts: readonly Contact[];
}

/** It is no contact. */
export interface ContactRemoved {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  removed: boolean;
}

/** The signer elected to broadcast. */
export interface Coordinator {
  publicKey: PublicKey;
  peerId?: string;
}

/** A new key, made here and kept encrypted. */
export interface CreateKey {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  scheme: "lotus" | "bip340";
  /** text (at most 100 characters) */
  label?: string;
}

/** A token for a wallet. Its answer is a secret, so it takes no idempotency key. */
export interface CreateToken {
  /** array (1 to 6) of `read` or `discover` or `sign` or `approve` or `webhook` or `admin` */
  scopes: readonly ("read" | "discover" | "sign" | "approve" | "webhook" | "admin")[];
  /** binds the token to these keys; absent: every key; array (at most 1000) of public key */
  publicKeys?: readonly PublicKey[];
  /** it may create keys, and is bound to them; boolean; default `false` */
  createKey?: boolean;
  /** text (at most 100 characters) */
  label?: string;
  expiresAt?: number;
}

/** Posts events as `getEvents` shows them. Its answer is a secret, so it takes no idempotency key. */
export interface CreateWebhook {
  /** https://, or http:// on this machine; put no secret into it; text (1 to 500 characters) */
  url: string;
  /** array (1 to 64) of text */
  events?: readonly string[];
  filter?: EventFilter;
}

/** What a signer is willing to sign. An absent bound is open. */
export interface Criteria {
  /** array (1 to 32) of name (1 to 32 of a-z, 0-9, -) */
  transactionTypes: readonly string[];
  minAmount?: number;
  maxAmount?: number;
  trustRequirements?: TrustRequirements;
}

/** Declines a request for good; that ends it for all. */
export interface DeclineSigningRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  publicKey: PublicKey;
  /** text (at most 200 characters) */
  reason?: string;
}

/** It is declined. */
export interface Declined {
  /** position of the event log after the change */
  seq?: number;
  declined: boolean;
}

/** Takes a request that no own key has joined out of lists; nobody else hears of it. */
export interface DismissRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  /** false: brings it back; boolean; default `true` */
  dismissed?: boolean;
}

/** Whether it is out of lists. */
export interface Dismissed {
  /** position of the event log after the change */
  seq?: number;
  requestId: Hex32;
  dismissed: boolean;
}

/** Who broadcasts first, and how long the others wait before it is their turn. */
export interface Election {
  /** `lexicographic` or `hash-based` or `first-signer` or `last-signer`; default `"lexicographic"` */
  method?: "lexicographic" | "hash-based" | "first-signer" | "last-signer";
  /** 5 minutes when absent; integer (1000 to 86400000) */
  broadcastTimeoutMs?: number;
}

/** Only events that concern all of these. */
export interface EventFilter {
  publicKey?: PublicKey;
  sessionId?: Hex32;
  requestId?: Hex32;
}

/** Events in order; ask again from `nextSeq`. */
export interface EventPage {
  events: readonly StoredEvent[];
  nextSeq: number;
  logId: string;
  gap?: Gap;
}

/** Signed messages (envelopes) that prove who broke the protocol, checkable by anyone. */
export interface Evidence {
  sessionId: Hex32;
  reason?: string;
  culprits: readonly PublicKey[];
  /** envelope of the request that they belong to */
  request?: Hex;
  evidence: readonly Hex[];
}

/** Names a request, and the own key that would sign it. */
export interface ExplainPolicy {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  publicKey: PublicKey;
}

/** An own key, sealed under a passphrase of its own, to be kept elsewhere. Both passphrases are secrets. */
export interface ExportKey {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey: PublicKey;
  /** the one that opens the keys of this daemon; text (1 to 1024 characters) */
  passphrase: string;
  /** the one that will open this key, here or in another daemon; text (1 to 1024 characters) */
  exportPassphrase: string;
}

/** One line of text: `importKey` takes it as `sealedKey`. Whoever has it can guess at its passphrase for ever. */
export interface ExportedKey {
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  sealedKey: string;
}

/** One signature per message; `signature` and `message` are the first. */
export interface FinalSignature {
  signature: Hex64;
  signatures: readonly Hex64[];
  aggregatedPublicKey: PublicKey;
  message: Hex32;
  messages: readonly MessageItem[];
  scheme: "lotus" | "bip340";
}

/** Which signers to look for; every absent restriction is open. */
export interface FindAvailableSigners {
  /** name (1 to 32 of a-z, 0-9, -) */
  transactionType?: string;
  /** the whole of metadata.purpose, in any case of letters; text (at most 2000 characters) */
  purpose?: string;
  scheme?: "lotus" | "bip340";
  /** an amount that the signer must take */
  minAmount?: number;
  /** another one */
  maxAmount?: number;
  /** of localReputation; a signer without evidence fails any above 0; integer (0 to 100) */
  minReputation?: number;
  /** integer (1 to 500); default `50` */
  maxResults?: number;
  /** text (1 to 500 characters) */
  cursor?: string;
  /** ask the network before answering; boolean; default `false` */
  refresh?: boolean;
  /** own keys too; boolean; default `false` */
  includeOwn?: boolean;
}

/** Requests in which an own key is required, own ones included. */
export interface FindSigningRequestsForMe {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey?: PublicKey;
  /** open and signing when absent */
  state?: "open" | "signing" | "complete" | "declined" | "cancelled" | "expired" | "failed";
  /** only requests of these; array (1 to 100) of public key */
  creators?: readonly PublicKey[];
  /**
   * only requests of creators with at least this localReputation; own ones pass; integer (0 to 100); default `0`
   */
  minReputation?: number;
  /** true: dismissed ones and those of muted creators too; boolean; default `false` */
  includeHidden?: boolean;
  /** boolean; default `false` */
  refresh?: boolean;
  /** integer (1 to 500); default `50` */
  limit?: number;
  /** text (1 to 500 characters) */
  cursor?: string;
}

/** What this token now follows. */
export interface FollowedTypes {
  /** position of the event log after the change */
  seq?: number;
  /** array of name (1 to 32 of a-z, 0-9, -) */
  transactionTypes: readonly string[];
}

/** A request that would fare otherwise for an own key than it does now. */
export interface ForeseenRequest {
  requestId: Hex32;
  publicKey: PublicKey;
  /** waits: for its owner, under another rule or other approvals; held-back: it has joined, and would not sign */
  outcome: "joined" | "declined" | "waits" | "held-back";
  /** the rule that would decide; absent: the default */
  rule?: string;
  /** where it stands in the file */
  line?: number;
  message: string;
}

/** Signers that match, and how many came from which channel. */
export interface FoundSigners {
  signers: readonly Advertisement[];
  /** text (1 to 500 characters) */
  nextCursor?: string;
  sources: Record<string, number>;
  /** another number when a signer came, renewed or withdrew since */
  revision: number;
}

/** Events from..to are no longer available; read the lists again. */
export interface Gap {
  from: number;
  to: number;
}

/** A page of events from `fromSeq` on, waiting for the first one up to `waitMs`. */
export interface GetEvents {
  fromSeq: number;
  /** text (1 to 64 characters) */
  logId?: string;
  /** integer (1 to 1000); default `100` */
  limit?: number;
  /** integer (0 to 60000); default `0` */
  waitMs?: number;
  /** array (1 to 64) of text */
  events?: readonly string[];
  filter?: EventFilter;
}

/** Names a session that ended with a culprit. */
export interface GetEvidence {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
}

/** The signature of a request (following its attempts) or of one session. */
export interface GetFinalSignature {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId?: Hex32;
  sessionId?: Hex32;
  /** how long to wait for it, at most 60 000; integer (0 to 60000); default `0` */
  waitMs?: number;
}

/** Names a session. */
export interface GetSession {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
}

/** Names a request. */
export interface GetSigningRequest {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
}

/** A token that said yes; the label is what `createToken` gave it, `owner` for the cookie and the socket. */
export interface GivenApproval {
  label: string;
  at: number;
  until?: number;
  /** the token of this call said it; boolean; default `false` */
  own?: boolean;
}

/**
 * Imports an existing private key, in one of two forms: `privateKey`, or what exportKey wrote. It carries a
 * secret, so it takes no idempotency key.
 */
export interface ImportKey {
  /** 32 bytes as hex, or WIF; text (1 to 1024 characters) */
  privateKey?: string;
  /** the line that exportKey wrote; text (1 to 512 characters) */
  sealedKey?: string;
  /** what opens sealedKey; text (1 to 1024 characters) */
  exportPassphrase?: string;
  scheme: "lotus" | "bip340";
  /** text (at most 100 characters) */
  label?: string;
}

/** State of the daemon. `nextSeq` and `logId` are where to start following events from. */
export interface Info {
  version: string;
  apiVersion: number;
  network: string;
  peerId: string;
  multiaddrs: readonly string[];
  peers: number;
  uptime: number;
  schemes: readonly ("lotus" | "bip340")[];
  schemaVersion: number;
  locked: boolean;
  ready: boolean;
  problems: readonly KnownProblem[];
  nextSeq: number;
  logId: string;
  time: number;
  limits: Record<string, number>;
  /** absent in the answer of an older daemon */
  reachability?: InfoReachability;
}

/** A TCP port on which this daemon listens, and the port of the router that leads to it. */
export interface InfoMappedPort {
  port: number;
  externalPort: number;
}

/** What the router was asked for (`p2p.port_mapping`), and says. */
export interface InfoPortMapping {
  state: "searching" | "mapped" | "failed";
  /** the router, its address in the local network */
  gateway?: string;
  /** its address on the other side, as it says; `multiaddrs` has what peers have reached */
  externalAddress?: string;
  ports: readonly InfoMappedPort[];
  /** when it ends unless renewed; absent where it has no end */
  expires?: number;
  /** what is wrong, a sentence */
  error?: string;
  /** what the router speaks, while it has mapped the ports */
  protocol?: "nat-pmp" | "pcp" | "upnp";
}

/** Whether others can dial this daemon: peers are asked to dial it back. */
export interface InfoReachability {
  /** private: nobody can dial it */
  verdict: "unknown" | "public" | "private";
  /** how it was found out, a sentence */
  how: string;
  /** peers whose answers count, each from another address range */
  asked: number;
  /** those of them that could dial it */
  reached: number;
  /** peer ids of the relays through which it is reached */
  relays: readonly string[];
  /** absent where no router is asked */
  portMapping?: InfoPortMapping;
}

/** Approves a request with an own key; after an aborted attempt it starts the next one. */
export interface JoinSigningRequest {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  requestId: Hex32;
  publicKey: PublicKey;
  /**
   * false: startRound1 and startRound2 are called by the wallet; given again it changes a join that stands, as
   * long as a round is left to wait; boolean; default `true`
   */
  autoAdvance?: boolean;
  /** true: only if every message is `checked` and leaves nothing `uncovered`; boolean; default `false` */
  requireChecked?: boolean;
}

/** The current attempt, and the keys that have joined it. */
export interface Joined {
  /** position of the event log after the change */
  seq?: number;
  requestId: Hex32;
  sessionId: Hex32;
  joined: readonly PublicKey[];
}

/** One own key. `external`: its private key is kept elsewhere. */
export interface Key {
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  label: string;
  external: boolean;
  paused: boolean;
  createdAt: number;
}

/** It is gone; what it signed stays on record, and the same key imported again signs none of it anew. */
export interface KeyDeleted {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  deleted: boolean;
}

/** The keys this token may use. */
export interface KeyList {
  keys: readonly Key[];
}

/** The public side of the key. */
export interface KeyMade {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  scheme: "lotus" | "bip340";
  label: string;
}

/** Why the daemon cannot do all of its job, and what to do. */
export interface KnownProblem {
  reason: string;
  remedy: string;
  /** when it ends by itself, if that is known */
  until?: number;
}

/** What waits for an owner, of all own keys that the token may use, or of one. */
export interface ListPendingApprovals {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey?: PublicKey;
  /** integer (1 to 500); default `50` */
  limit?: number;
  /** text (1 to 500 characters) */
  cursor?: string;
}

/** Which sessions to list; closed ones never are. */
export interface ListSessions {
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  phase?: "joining" | "ready" | "round1" | "round2" | "complete" | "aborted";
  requestId?: Hex32;
  publicKey?: PublicKey;
  /** integer (1 to 500); default `50` */
  limit?: number;
  /** text (1 to 500 characters) */
  cursor?: string;
}

/** What this daemon itself saw of a signer. */
export interface LocalReputation {
  /** integer (0 to 100) */
  score: number;
  completed: number;
  failed: number;
  aborted: number;
  responseTime?: number;
}

/** Whether the keys are locked, and when they lock again by themselves. */
export interface LockState {
  /** position of the event log after the change */
  seq?: number;
  locked: boolean;
  until?: number;
}

/**
 * One message of 32 bytes; `inputIndex` says which input of the transaction it belongs to, and has it checked.
 * `aggregatedPublicKey`, the tweaked key that its signature verifies under, is always there in answers. Who
 * announces may give it, to be refused when keys and tweaks do not make it. An item may be announced again as
 * it was shown: `checked` and what goes with it are left out of it, and found anew.
 */
export interface MessageItem {
  message: Hex32;
  /** array (at most 16) of TaprootTweak or PlainTweak */
  tweaks?: readonly (TaprootTweak | PlainTweak)[];
  /** position among the inputs of `metadata.transactionHex`, from 0: the message must be its hash */
  inputIndex?: number;
  aggregatedPublicKey?: PublicKey;
}

/** Names a creator by its key. */
export interface MuteCreator {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  publicKey: PublicKey;
}

/** Whether its requests are kept away. */
export interface Muted {
  /** position of the event log after the change */
  seq?: number;
  publicKey: PublicKey;
  muted: boolean;
}

/** A creator whose requests are not taken. */
export interface MutedCreator {
  publicKey: PublicKey;
  since: number;
  /** the own keys for which it is muted; absent: for all */
  forPublicKeys?: readonly PublicKey[];
}

/** Muted creators, oldest first. */
export interface MutedList {
  creators: readonly MutedCreator[];
}

/** Names a contact. */
export interface NameContact {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  publicKey: PublicKey;
}

/** Names an own key. */
export interface NameKey {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey: PublicKey;
}

/** Names a peer. */
export interface NamePeer {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** text (1 to 128 characters) */
  peerId: string;
}

/** Names a webhook. */
export interface NameWebhook {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  webhookId: string;
}

/** The peer this happened to. */
export interface NamedPeer {
  /** position of the event log after the change */
  seq?: number;
  peerId: string;
}

/** A method without params. */
export type NoParams = Record<string, never>;

/** A changing method without params of its own. */
export interface NoParamsChange {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
}

/** The signers are being told. */
export interface Notified {
  /** position of the event log after the change */
  seq?: number;
  sessionId: Hex32;
  txid: Hex32;
}

/** Tells all signers that the transaction was broadcast, which ends failover. */
export interface NotifyBroadcastComplete {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
  txid: Hex32;
}

/** An OpenRPC document. */
export interface OpenRpc {
  openrpc: string;
  info: Record<string, unknown>;
  methods: readonly unknown[];
  components?: Record<string, unknown>;
  /** every event, and its data */
  "x-events"?: Record<string, unknown>;
}

/** A criterion that an own key advertises and the request does not meet; a hint, nothing is refused for it. */
export interface OutsideCriterion {
  publicKey: PublicKey;
  criterion: "transactionTypes" | "minAmount" | "maxAmount";
  message: string;
}

/** It is changed. */
export interface PassphraseChanged {
  /** position of the event log after the change */
  seq?: number;
  changed: boolean;
}

/** A connected peer, and the public keys known to sign there. */
export interface Peer {
  peerId: string;
  multiaddrs: readonly string[];
  direction: "inbound" | "outbound";
  since: number;
  agent?: string;
  /** peer id of the relay through which it is connected */
  relay?: string;
  publicKeys: readonly PublicKey[];
}

/** Connected peers. */
export interface PeerList {
  peers: readonly Peer[];
}

/** A request that waits for the yes of an owner of this key. */
export interface PendingApproval {
  publicKey: PublicKey;
  /** the rule that asks; absent: the default, or no policy */
  rule?: string;
  line?: number;
  message: string;
  approvalsNeeded: number;
  /** how many of `approvals` count; integer; default `0` */
  approvalsGiven?: number;
  /** the labels whose approval counts; empty: any token's */
  approvalsOf?: readonly string[];
  approvals?: readonly GivenApproval[];
  request: SigningRequest;
}

/** A page of them, newest request first. */
export interface PendingApprovals {
  pending: readonly PendingApproval[];
  /** text (1 to 500 characters) */
  nextCursor?: string;
}

/** Adds a tweak to the aggregate key as BIP-327 says, plain or x-only; bip340 alone. */
export interface PlainTweak {
  tweak: Hex32;
  xOnly: boolean;
}

/** What a reload would change. Keys that are locked or paused are left out, as a reload passes them by. */
export interface PolicyDryRun {
  /** digest of the file as it is now, `none` where there is none */
  policy: string;
  /** digest of the file that is in force, or `none` */
  inForce: string;
  rules: readonly RuleInFile[];
  /** at most 100, in the order in which they would be considered */
  requests: readonly ForeseenRequest[];
  /** how many there are besides; integer; default `0` */
  moreRequests?: number;
}

/** What the policy says at this moment; nothing is changed by asking. */
export interface PolicyExplained {
  requestId: Hex32;
  publicKey: PublicKey;
  /** false: there is no policy, every join waits for its owner */
  active: boolean;
  verdict: "join" | "ask" | "refuse";
  /** the rule that decided; absent: the default */
  rule?: string;
  /** where it stands in the file */
  line?: number;
  message: string;
  /** an owner has said yes, as far as the policy asks */
  approved: boolean;
  /** integer; default `1` */
  approvalsNeeded?: number;
  /** how many of `approvals` count; integer; default `0` */
  approvalsGiven?: number;
  /** the labels whose approval counts; empty: any token's */
  approvalsOf?: readonly string[];
  approvals?: readonly GivenApproval[];
  /** what the rules look at, as far as it is known */
  values: Record<string, unknown>;
  /** the conditions of all rules up to the one that decided, in order */
  weighed?: readonly WeighedCondition[];
}

/** The rules in force; with `dryRun` those that would be. */
export interface PolicyReloaded {
  /** position of the event log after the change */
  seq?: number;
  active: boolean;
  /** their names, in order */
  rules: readonly string[];
  default: "join" | "ask" | "refuse";
  /** only with `dryRun`: then nothing was changed */
  dryRun?: PolicyDryRun;
}

/** How far a publication got: peers pushed to, topic peers, and whether the DHT took it. */
export interface Reach {
  direct: number;
  gossip: number;
  dht: boolean;
}

/** Lines from one position on. */
export interface ReadAuditLog {
  /** the first line wanted; integer; default `0` */
  fromSeq?: number;
  /** integer (1 to 1000); default `100` */
  limit?: number;
}

/** Reads the policy file again; a broken one changes nothing, and is `policy_unreadable`. */
export interface ReloadPolicy {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** change nothing, and answer what would change; boolean; default `false` */
  dryRun?: boolean;
}

/** A page of requests, newest first; of those that wait, the ones of known creators before all others. */
export interface RequestList {
  requests: readonly SigningRequest[];
  /** which creators on this page are own keys, pinned ones, contacts, or have signed with this daemon */
  knownCreators?: readonly PublicKey[];
  /** text (1 to 500 characters) */
  nextCursor?: string;
}

/** What the co-signers are shown about a request; unknown members travel too. */
export interface RequestMetadata {
  transactionHex?: Hex;
  amount?: number;
  /** name (1 to 32 of a-z, 0-9, -) */
  transactionType?: string;
  /** text (at most 2000 characters) */
  purpose?: string;
  /** text (at most 2000 characters) */
  description?: string;
  spentOutputs?: readonly SpentOutput[];
  sighashType?: number;
  spendPaths?: readonly SpendPath[];
  /** the message is BIP-340's tagged hash of this text under `messageTag`; text (at most 2000 characters) */
  messageText?: string;
  /** of that hash; `signed-text/v1` when absent */
  messageTag?: string;
}

/** One required key, and how far its signer is. */
export interface RequestSigner {
  publicKey: PublicKey;
  peerId?: string;
  own: boolean;
  delivered: boolean;
  joined: boolean;
  declined: boolean;
  /** its signer says that its owner was asked then and has not decided yet */
  consideringSince?: number;
  /** what its owner gave as the reason, if anything */
  declineReason?: string;
}

/** What the daemon found. `mismatch` cannot be joined; `blind`: nobody can see what at least one message is. */
export interface Review {
  status: "checked" | "blind" | "mismatch";
  /** of the first message that is not checked */
  reason?: "no_transaction" | "no_input_index" | "transaction_unreadable" | "no_such_input" | "sighash_type" | "spend_path" | "script_mismatch" | "message_mismatch" | "text_unreadable";
  message?: string;
  /** what any of the signatures leaves open to change; see `messages` */
  uncovered?: readonly string[];
  /** there where a checked message signs it and nothing is a mismatch */
  transaction?: ReviewedTransaction;
  /** the text that is signed instead of a transaction */
  text?: string;
  textTag?: string;
}

/** An output being spent; `signed`: by this request. */
export interface ReviewedInput {
  txid: Hex32;
  vout: number;
  value: number;
  script: Hex;
  address?: string;
  sequence: number;
  signed: boolean;
}

/** A message of a request, and whether this daemon has found it to be what the request shows. */
export interface ReviewedItem {
  message: Hex32;
  /** array (at most 16) of TaprootTweak or PlainTweak */
  tweaks?: readonly (TaprootTweak | PlainTweak)[];
  inputIndex?: number;
  aggregatedPublicKey: PublicKey;
  /**
   * the message is the hash of that input of `metadata.transactionHex`, and the input spends the aggregate key
   * of exactly these signers with these tweaks; or it is the hash of `metadata.messageText`
   */
  checked: boolean;
  /** `no_transaction` and `no_input_index` can be joined unless requireChecked, no other */
  uncheckedReason?: "no_transaction" | "no_input_index" | "transaction_unreadable" | "no_such_input" | "sighash_type" | "spend_path" | "script_mismatch" | "message_mismatch" | "text_unreadable";
  /** what is wrong, where nobody can join */
  uncheckedMessage?: string;
  /** what the sighash type leaves open to change: `outputs`, `otherOutputs`, `otherInputs` */
  uncovered?: readonly string[];
}

/** An output being made, and whether it comes back. */
export interface ReviewedOutput {
  value: number;
  script: Hex;
  address?: string;
  /** to an aggregated key of this request, or to `publicKey`, an own key alone */
  returns?: "aggregate" | "key";
  publicKey?: PublicKey;
}

/** The transaction that a checked message signs. Amounts and fee are satoshis. */
export interface ReviewedTransaction {
  version: number;
  lockTime: number;
  inputs: readonly ReviewedInput[];
  outputs: readonly ReviewedOutput[];
  inputAmount: number;
  outputAmount: number;
  /** absent where the signatures leave something open */
  fee?: number;
  /** satoshis for 1 000 bytes of `size` */
  feeRate?: number;
  /** bytes once it is signed, virtual ones on Bitcoin; an estimate where others sign inputs too */
  size: number;
}

/** Ends a token, and with it the connections that use it. */
export interface RevokeToken {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** text (1 to 64 characters) */
  tokenId: string;
}

/** It is revoked. */
export interface Revoked {
  /** position of the event log after the change */
  seq?: number;
  revoked: boolean;
}

/** What a token may do, so that a program offers nothing that would be refused. */
export interface Rights {
  /** with those that each of them includes */
  scopes: readonly ("read" | "discover" | "sign" | "approve" | "webhook" | "admin")[];
  /** the keys it is bound to; absent: every key */
  publicKeys?: readonly PublicKey[];
  createKey: boolean;
  /** the methods that it may call, in the order of rpc.discover */
  methods: readonly string[];
}

/** A rule and its line, of the file as it is now; of the rules in force where it was `removed`. */
export interface RuleInFile {
  rule: string;
  line: number;
  verdict: "join" | "ask" | "refuse";
  /** moved: it says the same, and stands before or after others than it did */
  change: "same" | "new" | "changed" | "moved" | "removed";
}

/** A setting as the daemon runs with it, and where it came from. */
export interface RunningSetting {
  name: string;
  /** absent where it is unset */
  value?: boolean | number | string | readonly string[];
  /** default, or the flag, the variable or the file */
  origin: string;
  /** there when a start would read another value */
  waiting?: WaitingSetting;
}

/** One attempt at a request. `culprits` are proved, `missing` were only absent. */
export interface Session {
  sessionId: Hex32;
  requestId: Hex32;
  attempt: number;
  phase: "joining" | "ready" | "round1" | "round2" | "complete" | "aborted";
  scheme: "lotus" | "bip340";
  aggregatedPublicKey: PublicKey;
  message: Hex32;
  messages: readonly ReviewedItem[];
  signers: readonly SessionSigner[];
  coordinator?: Coordinator;
  deadline?: number;
  partialReleased: boolean;
  reason?: string;
  culprits?: readonly PublicKey[];
  missing?: readonly PublicKey[];
  supersededBy?: Hex32;
}

/** A page of sessions, newest first. */
export interface SessionList {
  sessions: readonly Session[];
  /** text (1 to 500 characters) */
  nextCursor?: string;
}

/** One signer, and which of its contributions have arrived. */
export interface SessionSigner {
  publicKey: PublicKey;
  peerId?: string;
  joined: boolean;
  /** its signer says that its owner was asked then and has not decided yet */
  consideringSince?: number;
  nonce: boolean;
  partialSignature: boolean;
}

/** Every setting, in the order of the sample file. */
export interface SettingsInForce {
  settings: readonly RunningSetting[];
  /** why a restart would fail: the settings cannot be read */
  problem?: string;
}

/** The criteria as the signer wrote them; `trustRequirements` is an open map. */
export interface ShownCriteria {
  transactionTypes: readonly string[];
  minAmount?: number;
  maxAmount?: number;
  trustRequirements?: Record<string, unknown>;
}

/** What a signer tells about itself; unknown members travel too. */
export interface SignerMetadata {
  /** text (at most 100 characters) */
  nickname?: string;
  /** text (at most 2000 characters) */
  description?: string;
  /** text (at most 2000 characters) */
  purpose?: string;
  /** satoshis per signature, shown, never charged */
  fees?: number;
  responseTime?: number;
  reputation?: ClaimedReputation;
}

/** A request and its state. `message` and `tweaks` are those of the first item. */
export interface SigningRequest {
  requestId: Hex32;
  sessionId: Hex32;
  attempt: number;
  state: "open" | "signing" | "complete" | "declined" | "cancelled" | "expired" | "failed";
  scheme: "lotus" | "bip340";
  requiredPublicKeys: readonly PublicKey[];
  messages: readonly ReviewedItem[];
  message: Hex32;
  /** array (at most 16) of TaprootTweak or PlainTweak */
  tweaks: readonly (TaprootTweak | PlainTweak)[];
  aggregatedPublicKey: PublicKey;
  creator: PublicKey;
  createdAt: number;
  expiresAt: number;
  metadata: Record<string, unknown>;
  election?: Election;
  signers: readonly RequestSigner[];
  partialReleased: boolean;
  /** what is signed, as this daemon has checked and decoded it */
  review?: Review;
  /** what own keys do not advertise to do, going by what `metadata` states */
  outsideCriteria?: readonly OutsideCriterion[];
  /** why it ended without a signature */
  reason?: string;
  /** what its creator gave as the reason, if anything */
  cancelReason?: string;
  signature?: Hex64;
  signatures?: readonly Hex64[];
  envelope: Hex;
}

/** How one of `messages` is signed, where that is not the key path with the ordinary sighash type. */
export interface SpendPath {
  /** position in `messages` */
  item: number;
  sighashType?: number;
  /** with its first byte, 50 */
  annex?: Hex;
  /** bip340: the message is signed for this leaf */
  leafScript?: Hex;
  /** 192 when absent, and no other is known */
  leafVersion?: number;
  /** of the leaf, as its witness shows it */
  controlBlock?: Hex;
  /** position of the last executed OP_CODESEPARATOR among the opcodes of the leaf */
  codeSeparator?: number;
}

/** An output that the transaction spends, as needed to check the hash that is signed. */
export interface SpentOutput {
  value: number;
  script: Hex;
}

/** Continues a session that joined with `autoAdvance: false`; remembered if it is too early. */
export interface StartRound {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  sessionId: Hex32;
  /** which own key, where several take part */
  publicKey?: PublicKey;
}

/** One event. Two notifications, events:gap and events:progress, have no seq. */
export interface StoredEvent {
  seq?: number;
  event: string;
  time: number;
  data: Record<string, unknown>;
}

/** Follow events on this WebSocket. `fromSeq` 0 is the oldest kept; absent is from now. */
export interface Subscribe {
  /** array (1 to 64) of text */
  events?: readonly string[];
  fromSeq?: number;
  /** text (1 to 64 characters) */
  logId?: string;
  filter?: EventFilter;
}

/** Follows these transaction types from now on, across restarts. */
export interface SubscribeToSignerDiscovery {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** array (1 to 32) of name (1 to 32 of a-z, 0-9, -) */
  transactionTypes: readonly string[];
}

/** Sent before the first notification of this subscription. */
export interface Subscribed {
  subscription: string;
  nextSeq: number;
  logId: string;
}

/**
 * Commits to a script tree by its merkle root. null is a key without scripts: 32 zero bytes on Lotus, no root
 * at all on Bitcoin (BIP-86).
 */
export interface TaprootTweak {
  taprootMerkleRoot: Hex32 | null;
}

/** A token in force, without the token. */
export interface Token {
  tokenId: string;
  scopes: readonly ("read" | "discover" | "sign" | "approve" | "webhook" | "admin")[];
  publicKeys?: readonly PublicKey[];
  createKey: boolean;
  label: string;
  createdAt: number;
  expiresAt?: number;
}

/** Tokens in force. */
export interface TokenList {
  tokens: readonly Token[];
}

/** The token, shown this once. */
export interface TokenMade {
  /** position of the event log after the change */
  seq?: number;
  tokenId: string;
  token: string;
}

/** What the signer requires of a creator. */
export interface TrustRequirements {
  /** integer (0 to 100) */
  reputation?: number;
  requiresVerification?: boolean;
}

/** Unlocks the keys; they lock again after `durationMs`, or stay unlocked if it is absent. */
export interface Unlock {
  /** without the line break that its file ends in; text (1 to 1024 characters) */
  passphrase: string;
  /** integer (0 to 315360000000) */
  durationMs?: number;
}

/** Ends a subscription of this connection. */
export interface Unsubscribe {
  /** text (1 to 64 characters) */
  subscription: string;
}

/** Stops following these types, or all of them. */
export interface UnsubscribeFromSignerDiscovery {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** array (1 to 32) of name (1 to 32 of a-z, 0-9, -) */
  transactionTypes?: readonly string[];
}

/** Always true. */
export type Unsubscribed = boolean;

/** Whether it holds. */
export interface Verified {
  valid: boolean;
}

/** Whether the stored log is what was written, and holds anchors that were printed before. */
export interface VerifyAuditLog {
  /** array (at most 100) of text `^[0-9]{1,18}:[0-9a-f]{64}$` */
  anchors?: readonly string[];
}

/** A signature, what it should sign, and under which key. */
export interface VerifySignature {
  publicKey: PublicKey;
  message: Hex32;
  signature: Hex64;
  scheme: "lotus" | "bip340";
}

/** What flags, environment and file say of a setting by now. */
export interface WaitingSetting {
  /** absent where it is unset */
  value?: boolean | number | string | readonly string[];
  origin: string;
  /** true: SIGHUP takes it over; false: it waits for a restart */
  byReload: boolean;
}

/** It is deleted. */
export interface WebhookDeleted {
  /** position of the event log after the change */
  seq?: number;
  deleted: boolean;
}

/** Webhooks, the oldest first. */
export interface WebhookList {
  webhooks: readonly WebhookShown[];
}

/** Its id, and the secret that signs its deliveries, shown this once. */
export interface WebhookMade {
  /** position of the event log after the change */
  seq?: number;
  webhookId: string;
  secret: string;
}

/** A webhook. `problem`: why its deliveries are not taken; they are tried again as long as events are kept. */
export interface WebhookShown {
  webhookId: string;
  url: string;
  events?: readonly string[];
  filter?: EventFilter;
  /** the first event that was not delivered */
  nextSeq: number;
  createdAt: number;
  problem?: string;
  problemSince?: number;
}

/** One condition of a rule, and the value that it met; `value` is absent where nothing is known. */
export interface WeighedCondition {
  rule: string;
  member: string;
  line: number;
  limit: unknown;
  value?: unknown;
  holds: boolean;
}

/** Withdraws an own advertisement everywhere. */
export interface WithdrawAdvertisement {
  /**
   * repeating the call with the same key and params gives the same answer for 24 hours; text (1 to 64 printable
   * ASCII characters)
   */
  idempotencyKey?: string;
  /** follows from what is named; another one is scheme_mismatch */
  scheme?: "lotus" | "bip340";
  publicKey: PublicKey;
}

/** It is withdrawn. */
export interface Withdrawn {
  /** position of the event log after the change */
  seq?: number;
  withdrawn: boolean;
}
