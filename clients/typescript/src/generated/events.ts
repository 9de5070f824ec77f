// Written by `python -m rpc.schema.generate_typescript` from the API's description; do not edit.

import type { Advertisement, BroadcastClaim, Hex, Hex32, Hex64, PublicKey, SigningRequest } from "./values.js";

/** What every event of a request or a session says of its place. */
export interface OfSigning {
  /** The own keys concerned. */
  publicKeys: readonly PublicKey[];
  requestId: Hex32;
  sessionId: Hex32;
  attempt: number;
}

/** The data of every event that has a seq. */
export interface EventData {
  /** an own advertisement was published */
  "signer:advertised": {
    publicKeys?: readonly PublicKey[];
    advertisement: Advertisement;
  };
  /** a new or renewed signer of a type that this token follows; sameDaemon: another wallet of this daemon */
  "signer:discovered": {
    publicKeys?: readonly PublicKey[];
    advertisement: Advertisement;
    renewed: boolean;
    sameDaemon?: true;
  };
  /** a signer of a type that this token follows withdrew its advertisement, or an own key did */
  "signer:withdrawn": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    transactionTypes?: readonly string[];
    sameDaemon?: true;
  };
  /** a signer of a type that this token follows is gone; reason: peer_left (away for 30 s) or expired */
  "signer:unavailable": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    reason: string;
    transactionTypes: readonly string[];
  };
  /** an own advertisement expires in an hour and cannot be renewed */
  "signer:expiring": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    expiresAt: number;
  };
  /** an own request was announced */
  "signing-request:created": OfSigning & {
    request: SigningRequest;
  };
  /** a request that needs an own key arrived */
  "signing-request:received": OfSigning & {
    request: SigningRequest;
  };
  /** an own key joined a request */
  "signing-request:joined": OfSigning & {
    publicKey: PublicKey;
  };
  /** a signer declined; final for all */
  "signing-request:declined": OfSigning & {
    publicKey: PublicKey;
    reason: string;
  };
  /** the creator cancelled; final for all */
  "signing-request:cancelled": OfSigning & {
    publicKey: PublicKey;
    reason: string;
  };
  /** the request ran out of time; final for all */
  "signing-request:expired": OfSigning & {
    reason: string;
  };
  /** an owner took a request out of his lists, or back into them */
  "signing-request:dismissed": OfSigning & {
    dismissed: boolean;
  };
  /** requests of a creator are not taken any more, or are again; without publicKeys: for all own keys */
  "creator:muted": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    muted: boolean;
  };
  /** a request that no own key had joined is not kept: its key was deleted, or others ask for less */
  "signing-request:dropped": OfSigning;
  /** another signer joined */
  "participant:joined": OfSigning & {
    publicKey: PublicKey;
    peerId: string;
  };
  /** the first join of an attempt is known */
  "session:created": OfSigning;
  /** an own key joined the attempt */
  "session:joined": OfSigning & {
    publicKey: PublicKey;
  };
  /** the peers were told of the attempt */
  "session:announced": OfSigning & {
    publicKey: PublicKey;
  };
  /** all joined; call startRound1 unless autoAdvance */
  "session:ready": OfSigning;
  /** all nonces are in; call startRound2 unless autoAdvance */
  "round1:complete": OfSigning;
  /** the same moment as round1:complete */
  "session:nonces-complete": OfSigning;
  /** all partial signatures are in */
  "round2:complete": OfSigning & {
    signature: Hex64;
    signatures: readonly Hex64[];
    aggregatedPublicKey: PublicKey;
    aggregatedPublicKeys?: readonly PublicKey[];
  };
  /** the signature is there */
  "signature:finalized": OfSigning & {
    signature: Hex64;
    signatures: readonly Hex64[];
    aggregatedPublicKey: PublicKey;
    aggregatedPublicKeys?: readonly PublicKey[];
  };
  /** the attempt ended with a signature */
  "session:complete": OfSigning & {
    signature: Hex64;
    signatures: readonly Hex64[];
    aggregatedPublicKey: PublicKey;
    aggregatedPublicKeys?: readonly PublicKey[];
  };
  /** it is your turn to broadcast */
  "session:should-broadcast": OfSigning & {
    signatures: readonly Hex64[];
    deadline: number;
    transactionHex?: Hex;
  };
  /** the coordinator did not broadcast in time; next is null when nobody is left */
  "session:coordinator-failed": OfSigning & {
    failed: PublicKey;
    next: PublicKey | null;
  };
  /** nobody confirmed a broadcast */
  "session:failover-exhausted": OfSigning & {
    attempts: number;
  };
  /** a signer says it broadcast */
  "session:broadcast-confirmed": OfSigning & {
    publicKey: PublicKey;
    txid: Hex32;
  };
  /** signers name different transactions for one session; claims: [{publicKey, txid}] */
  "session:broadcast-conflict": OfSigning & {
    claims: readonly BroadcastClaim[];
  };
  /** an attempt ended; only retrying false is final; text: what the owner gave to abortSession, told to no peer */
  "session:aborted": OfSigning & {
    reason: string;
    culprits: readonly PublicKey[];
    missing: readonly PublicKey[];
    retrying: boolean;
    supersededBy?: Hex32;
    by?: PublicKey;
    conflicting?: readonly PublicKey[];
    text?: string;
  };
  /** the session was closed */
  "session:closed": OfSigning;
  /** something went wrong that the session survived */
  "session:error": OfSigning & {
    code: string;
    publicKey?: PublicKey;
    peerId?: string;
  };
  /** the peer of a signer is away */
  "session:participant-disconnected": OfSigning & {
    peerId: string;
  };
  /** a peer connected */
  "peer:connected": {
    publicKeys?: readonly PublicKey[];
    peerId: string;
  };
  /** a peer left */
  "peer:disconnected": {
    publicKeys?: readonly PublicKey[];
    peerId: string;
  };
  /** a peer was banned */
  "peer:banned": {
    publicKeys?: readonly PublicKey[];
    peerId: string;
    until: number;
    reason: string;
  };
  /** a ban was lifted */
  "peer:unbanned": {
    publicKeys?: readonly PublicKey[];
    peerId: string;
  };
  /** a key was created or imported */
  "key:created": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    scheme: "lotus" | "bip340";
    label: string;
    imported: boolean;
  };
  /** a key signs nothing until resumeKey; reason: key_conflict when the daemon found it used elsewhere */
  "key:paused": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
    reason?: string;
  };
  /** a paused key signs again */
  "key:resumed": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
  };
  /** a key was removed for good */
  "key:deleted": {
    publicKeys?: readonly PublicKey[];
    publicKey: PublicKey;
  };
  /**
   * the keys were locked: by lock, when the time given to unlock was over, or by a restart; every token hears it
   */
  "node:locked": {
    publicKeys?: readonly PublicKey[];
  };
  /** the keys were unlocked, until then or for good; every token hears it */
  "node:unlocked": {
    publicKeys?: readonly PublicKey[];
    until?: number;
  };
  /** the keys were encrypted under a new passphrase */
  "node:passphrase-changed": {
    publicKeys?: readonly PublicKey[];
  };
  /** a request waits for the yes of an owner of this key; rule and line: of the policy; once per request and key */
  "approval:needed": OfSigning & {
    publicKey: PublicKey;
    request: SigningRequest;
    message: string;
    needed: number;
    rule?: string;
    line?: number;
  };
  /** a signer says that the request waits for its owner; consideringSince: when it asked */
  "signing-request:considering": OfSigning & {
    publicKey: PublicKey;
    consideringSince: number;
  };
  /** a token said yes; with given = needed the key joins */
  "approval:given": OfSigning & {
    publicKey: PublicKey;
    label: string;
    given: number;
    needed: number;
  };
  /** the policy was read again: the names of its rules, in order, and its digest or none; for tokens with admin */
  "policy:reloaded": {
    publicKeys?: readonly PublicKey[];
    active: boolean;
    rules: readonly string[];
    policy?: string;
  };
  /** a token was made; publicKeys are those it is bound to; for tokens with admin, and the token itself */
  "token:created": {
    publicKeys?: readonly PublicKey[];
    tokenId: string;
    scopes: readonly ("read" | "discover" | "sign" | "approve" | "webhook" | "admin")[];
    createKey: boolean;
    label: string;
    expiresAt?: number;
  };
  /** a token ended; reason: revoked or expired; for tokens with admin */
  "token:revoked": {
    publicKeys?: readonly PublicKey[];
    tokenId: string;
    reason: string;
  };
}
