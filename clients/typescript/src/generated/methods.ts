// Written by `python -m rpc.schema.generate_typescript` from the API's description; do not edit.

import type * as v from "./values.js";
import type { CallOptions } from "../options.js";

/** Params and result of every method, by its name. */
export interface Calls {
  getInfo: [params: v.NoParams, result: v.Info];
  getSettings: [params: v.NoParams, result: v.SettingsInForce];
  listPeers: [params: v.NoParams, result: v.PeerList];
  connectPeer: [params: v.ConnectPeer, result: v.ConnectedPeer];
  disconnectPeer: [params: v.NamePeer, result: v.NamedPeer];
  banPeer: [params: v.BanPeer, result: v.Banned];
  unbanPeer: [params: v.NamePeer, result: v.NamedPeer];
  listBans: [params: v.NoParams, result: v.BanList];
  addContact: [params: v.AddContact, result: v.ContactAdded];
  listContacts: [params: v.NoParams, result: v.ContactList];
  removeContact: [params: v.NameContact, result: v.ContactRemoved];
  createKey: [params: v.CreateKey, result: v.KeyMade];
  importKey: [params: v.ImportKey, result: v.KeyMade];
  exportKey: [params: v.ExportKey, result: v.ExportedKey];
  deleteKey: [params: v.NameKey, result: v.KeyDeleted];
  listKeys: [params: v.NoParams, result: v.KeyList];
  pauseKey: [params: v.NameKey, result: v.ChangedKey];
  resumeKey: [params: v.NameKey, result: v.ChangedKey];
  unlock: [params: v.Unlock, result: v.LockState];
  lock: [params: v.NoParamsChange, result: v.LockState];
  changePassphrase: [params: v.ChangePassphrase, result: v.PassphraseChanged];
  aggregateKeys: [params: v.AggregateKeys, result: v.AggregatedKey];
  verifySignature: [params: v.VerifySignature, result: v.Verified];
  advertiseSigner: [params: v.AdvertiseSigner, result: v.Advertised];
  withdrawAdvertisement: [params: v.WithdrawAdvertisement, result: v.Withdrawn];
  listAdvertisements: [params: v.NoParams, result: v.AdvertisementList];
  findAvailableSigners: [params: v.FindAvailableSigners, result: v.FoundSigners];
  subscribeToSignerDiscovery: [params: v.SubscribeToSignerDiscovery, result: v.FollowedTypes];
  unsubscribeFromSignerDiscovery: [params: v.UnsubscribeFromSignerDiscovery, result: v.FollowedTypes];
  announceSigningRequest: [params: v.AnnounceSigningRequest, result: v.Announced];
  findSigningRequestsForMe: [params: v.FindSigningRequestsForMe, result: v.RequestList];
  getSigningRequest: [params: v.GetSigningRequest, result: v.SigningRequest];
  joinSigningRequest: [params: v.JoinSigningRequest, result: v.Joined];
  declineSigningRequest: [params: v.DeclineSigningRequest, result: v.Declined];
  cancelSigningRequest: [params: v.CancelSigningRequest, result: v.ChangedRequest];
  dismissRequest: [params: v.DismissRequest, result: v.Dismissed];
  muteCreator: [params: v.MuteCreator, result: v.Muted];
  unmuteCreator: [params: v.MuteCreator, result: v.Muted];
  listMutedCreators: [params: v.NoParams, result: v.MutedList];
  getSession: [params: v.GetSession, result: v.Session];
  listSessions: [params: v.ListSessions, result: v.SessionList];
  startRound1: [params: v.StartRound, result: v.ChangedSession];
  startRound2: [params: v.StartRound, result: v.ChangedSession];
  getFinalSignature: [params: v.GetFinalSignature, result: v.FinalSignature];
  abortSession: [params: v.AbortSession, result: v.ChangedSession];
  closeSession: [params: v.CloseSession, result: v.Closed];
  notifyBroadcastComplete: [params: v.NotifyBroadcastComplete, result: v.Notified];
  getEvidence: [params: v.GetEvidence, result: v.Evidence];
  listPendingApprovals: [params: v.ListPendingApprovals, result: v.PendingApprovals];
  approveRequest: [params: v.ApproveRequest, result: v.Approved];
  explainPolicy: [params: v.ExplainPolicy, result: v.PolicyExplained];
  reloadPolicy: [params: v.ReloadPolicy, result: v.PolicyReloaded];
  getEvents: [params: v.GetEvents, result: v.EventPage];
  createWebhook: [params: v.CreateWebhook, result: v.WebhookMade];
  listWebhooks: [params: v.NoParams, result: v.WebhookList];
  deleteWebhook: [params: v.NameWebhook, result: v.WebhookDeleted];
  getRights: [params: v.NoParams, result: v.Rights];
  "rpc.discover": [params: v.NoParams, result: v.OpenRpc];
  createToken: [params: v.CreateToken, result: v.TokenMade];
  listTokens: [params: v.NoParams, result: v.TokenList];
  revokeToken: [params: v.RevokeToken, result: v.Revoked];
  getAuditLog: [params: v.ReadAuditLog, result: v.AuditPage];
  verifyAuditLog: [params: v.VerifyAuditLog, result: v.AuditVerified];
}

/** Those that change something and may be repeated with the same idempotencyKey. */
export const IDEMPOTENT: ReadonlySet<string> = new Set([
  "connectPeer",
  "disconnectPeer",
  "banPeer",
  "unbanPeer",
  "addContact",
  "removeContact",
  "createKey",
  "deleteKey",
  "pauseKey",
  "resumeKey",
  "lock",
  "advertiseSigner",
  "withdrawAdvertisement",
  "subscribeToSignerDiscovery",
  "unsubscribeFromSignerDiscovery",
  "announceSigningRequest",
  "joinSigningRequest",
  "declineSigningRequest",
  "cancelSigningRequest",
  "dismissRequest",
  "muteCreator",
  "unmuteCreator",
  "startRound1",
  "startRound2",
  "abortSession",
  "closeSession",
  "notifyBroadcastComplete",
  "approveRequest",
  "reloadPolicy",
  "deleteWebhook",
  "revokeToken",
]);

/** Those that change something and carry a secret, so they take no idempotencyKey. */
export const ONCE: ReadonlySet<string> = new Set([
  "importKey",
  "unlock",
  "changePassphrase",
  "createWebhook",
  "createToken",
]);

/** Every method of the API; what carries a call is the subclass's. */
export abstract class Methods {
  /** One call by the name of its method. */
  abstract call<M extends keyof Calls>(
    method: M, params: Calls[M][0], options?: CallOptions,
  ): Promise<Calls[M][1]>;

  /** State of the daemon: version, network, peers, whether it is ready, and where the event log stands. */
  getInfo(params: v.NoParams = {}, options?: CallOptions): Promise<v.Info> {
    return this.call("getInfo", params, options);
  }

  /** The settings the daemon runs with, where each came from, and which wait for a reload or a restart. */
  getSettings(params: v.NoParams = {}, options?: CallOptions): Promise<v.SettingsInForce> {
    return this.call("getSettings", params, options);
  }

  /** Connected peers, with the public keys known to sign there. */
  listPeers(params: v.NoParams = {}, options?: CallOptions): Promise<v.PeerList> {
    return this.call("listPeers", params, options);
  }

  /** Dials a peer by address or pairing link, and keeps it connected until `disconnectPeer`. */
  connectPeer(params: v.ConnectPeer, options?: CallOptions): Promise<v.ConnectedPeer> {
    return this.call("connectPeer", params, options);
  }

  /** Closes the connections to a peer and keeps it no more; it may connect again, see banPeer. */
  disconnectPeer(params: v.NamePeer, options?: CallOptions): Promise<v.NamedPeer> {
    return this.call("disconnectPeer", params, options);
  }

  /** Refuses a peer for a while. */
  banPeer(params: v.BanPeer, options?: CallOptions): Promise<v.Banned> {
    return this.call("banPeer", params, options);
  }

  /** Lifts a ban. */
  unbanPeer(params: v.NamePeer, options?: CallOptions): Promise<v.NamedPeer> {
    return this.call("unbanPeer", params, options);
  }

  /** Bans in force. */
  listBans(params: v.NoParams = {}, options?: CallOptions): Promise<v.BanList> {
    return this.call("listBans", params, options);
  }

  /** Keeps a signer by its pairing link and connects to it; its requests come before those of strangers. */
  addContact(params: v.AddContact, options?: CallOptions): Promise<v.ContactAdded> {
    return this.call("addContact", params, options);
  }

  /** Signers whom the owner knows, by nickname. */
  listContacts(params: v.NoParams = {}, options?: CallOptions): Promise<v.ContactList> {
    return this.call("listContacts", params, options);
  }

  /** Forgets a contact; connections stay as they are. */
  removeContact(params: v.NameContact, options?: CallOptions): Promise<v.ContactRemoved> {
    return this.call("removeContact", params, options);
  }

  /** Creates a key and stores it encrypted. */
  createKey(params: v.CreateKey, options?: CallOptions): Promise<v.KeyMade> {
    return this.call("createKey", params, options);
  }

  /** Imports a private key: hex, WIF, or what exportKey wrote. One secret belongs to one scheme. */
  importKey(params: v.ImportKey, options?: CallOptions): Promise<v.KeyMade> {
    return this.call("importKey", params, options);
  }

  /** One own key as a line of text, sealed under a passphrase of its own. */
  exportKey(params: v.ExportKey, options?: CallOptions): Promise<v.ExportedKey> {
    return this.call("exportKey", params, options);
  }

  /** Deletes a key for good; refused while it is advertised, or has joined a request that is not finished. */
  deleteKey(params: v.NameKey, options?: CallOptions): Promise<v.KeyDeleted> {
    return this.call("deleteKey", params, options);
  }

  /** The keys this token may use. */
  listKeys(params: v.NoParams = {}, options?: CallOptions): Promise<v.KeyList> {
    return this.call("listKeys", params, options);
  }

  /** Stops signing with a key until resumeKey. */
  pauseKey(params: v.NameKey, options?: CallOptions): Promise<v.ChangedKey> {
    return this.call("pauseKey", params, options);
  }

  /** Signs with a paused key again. */
  resumeKey(params: v.NameKey, options?: CallOptions): Promise<v.ChangedKey> {
    return this.call("resumeKey", params, options);
  }

  /** Unlocks the keys with the passphrase, for a while or until lock. */
  unlock(params: v.Unlock, options?: CallOptions): Promise<v.LockState> {
    return this.call("unlock", params, options);
  }

  /** Wipes the unlocked keys from memory; open sessions end. */
  lock(params: v.NoParamsChange = {}, options?: CallOptions): Promise<v.LockState> {
    return this.call("lock", params, options);
  }

  /** Encrypts the keys under a new passphrase. */
  changePassphrase(params: v.ChangePassphrase, options?: CallOptions): Promise<v.PassphraseChanged> {
    return this.call("changePassphrase", params, options);
  }

  /** The aggregate key of some public keys, what to pay to, and the address. Nothing is stored. */
  aggregateKeys(params: v.AggregateKeys, options?: CallOptions): Promise<v.AggregatedKey> {
    return this.call("aggregateKeys", params, options);
  }

  /** Whether a signature holds for a message under a public key. */
  verifySignature(params: v.VerifySignature, options?: CallOptions): Promise<v.Verified> {
    return this.call("verifySignature", params, options);
  }

  /** Publishes an own key and its terms, so that others find it; it is renewed until withdrawn. */
  advertiseSigner(params: v.AdvertiseSigner, options?: CallOptions): Promise<v.Advertised> {
    return this.call("advertiseSigner", params, options);
  }

  /** Withdraws an own advertisement everywhere. */
  withdrawAdvertisement(params: v.WithdrawAdvertisement, options?: CallOptions): Promise<v.Withdrawn> {
    return this.call("withdrawAdvertisement", params, options);
  }

  /** Own advertisements in force. */
  listAdvertisements(params: v.NoParams = {}, options?: CallOptions): Promise<v.AdvertisementList> {
    return this.call("listAdvertisements", params, options);
  }

  /** Signers whose terms match, each with its signed advertisement. */
  findAvailableSigners(params: v.FindAvailableSigners = {}, options?: CallOptions): Promise<v.FoundSigners> {
    return this.call("findAvailableSigners", params, options);
  }

  /** Follows transaction types: each new signer is announced by signer:discovered. Kept across restarts. */
  subscribeToSignerDiscovery(params: v.SubscribeToSignerDiscovery, options?: CallOptions): Promise<v.FollowedTypes> {
    return this.call("subscribeToSignerDiscovery", params, options);
  }

  /** Stops following some transaction types, or all. */
  unsubscribeFromSignerDiscovery(params: v.UnsubscribeFromSignerDiscovery = {}, options?: CallOptions): Promise<v.FollowedTypes> {
    return this.call("unsubscribeFromSignerDiscovery", params, options);
  }

  /** Asks exactly those keys to sign one message or up to 100; the creator joins at once. */
  announceSigningRequest(params: v.AnnounceSigningRequest, options?: CallOptions): Promise<v.Announced> {
    return this.call("announceSigningRequest", params, options);
  }

  /** Requests in which an own key is required, own ones included; open and signing ones unless asked. */
  findSigningRequestsForMe(params: v.FindSigningRequestsForMe = {}, options?: CallOptions): Promise<v.RequestList> {
    return this.call("findSigningRequestsForMe", params, options);
  }

  /** One request and how far each signer is. */
  getSigningRequest(params: v.GetSigningRequest, options?: CallOptions): Promise<v.SigningRequest> {
    return this.call("getSigningRequest", params, options);
  }

  /** Approves a request with an own key; after an aborted attempt it starts the next. */
  joinSigningRequest(params: v.JoinSigningRequest, options?: CallOptions): Promise<v.Joined> {
    return this.call("joinSigningRequest", params, options);
  }

  /** Declines a request with an own key; that ends it for all. */
  declineSigningRequest(params: v.DeclineSigningRequest, options?: CallOptions): Promise<v.Declined> {
    return this.call("declineSigningRequest", params, options);
  }

  /** Cancels an own request for all. */
  cancelSigningRequest(params: v.CancelSigningRequest, options?: CallOptions): Promise<v.ChangedRequest> {
    return this.call("cancelSigningRequest", params, options);
  }

  /** Hides a request from lists, without telling anybody; a join, or dismissed: false, brings it back. */
  dismissRequest(params: v.DismissRequest, options?: CallOptions): Promise<v.Dismissed> {
    return this.call("dismissRequest", params, options);
  }

  /** Takes no more requests of a creator, and hides those that no own key has joined. */
  muteCreator(params: v.MuteCreator, options?: CallOptions): Promise<v.Muted> {
    return this.call("muteCreator", params, options);
  }

  /** Takes requests of a creator again; what it asked meanwhile comes when it asks again. */
  unmuteCreator(params: v.MuteCreator, options?: CallOptions): Promise<v.Muted> {
    return this.call("unmuteCreator", params, options);
  }

  /** Creators whose requests are not taken. */
  listMutedCreators(params: v.NoParams = {}, options?: CallOptions): Promise<v.MutedList> {
    return this.call("listMutedCreators", params, options);
  }

  /** One attempt: its phase, who has sent what, and why it ended. */
  getSession(params: v.GetSession, options?: CallOptions): Promise<v.Session> {
    return this.call("getSession", params, options);
  }

  /** Sessions of own keys, newest first, without closed ones. */
  listSessions(params: v.ListSessions = {}, options?: CallOptions): Promise<v.SessionList> {
    return this.call("listSessions", params, options);
  }

  /** Sends the nonces; needed after autoAdvance: false. Safe to repeat; remembered if too early. */
  startRound1(params: v.StartRound, options?: CallOptions): Promise<v.ChangedSession> {
    return this.call("startRound1", params, options);
  }

  /** Sends the partial signatures; needed after autoAdvance: false. Safe to repeat; kept if too early. */
  startRound2(params: v.StartRound, options?: CallOptions): Promise<v.ChangedSession> {
    return this.call("startRound2", params, options);
  }

  /** The signature, once it is there; with waitMs it waits. With requestId it follows attempts. */
  getFinalSignature(params: v.GetFinalSignature = {}, options?: CallOptions): Promise<v.FinalSignature> {
    return this.call("getFinalSignature", params, options);
  }

  /** Ends the request for this key. A partial signature already sent cannot be recalled. */
  abortSession(params: v.AbortSession, options?: CallOptions): Promise<v.ChangedSession> {
    return this.call("abortSession", params, options);
  }

  /** Ends the request for this key and takes the session out of the lists; a signature is kept. */
  closeSession(params: v.CloseSession, options?: CallOptions): Promise<v.Closed> {
    return this.call("closeSession", params, options);
  }

  /** Tells all signers that the transaction was broadcast, which ends failover. */
  notifyBroadcastComplete(params: v.NotifyBroadcastComplete, options?: CallOptions): Promise<v.Notified> {
    return this.call("notifyBroadcastComplete", params, options);
  }

  /** Signed messages that prove a culprit; anybody can check them. */
  getEvidence(params: v.GetEvidence, options?: CallOptions): Promise<v.Evidence> {
    return this.call("getEvidence", params, options);
  }

  /** Requests that wait for the yes of an owner, with what they sign and the rule that asks. */
  listPendingApprovals(params: v.ListPendingApprovals = {}, options?: CallOptions): Promise<v.PendingApprovals> {
    return this.call("listPendingApprovals", params, options);
  }

  /** Says yes to a request for an own key; once enough have, it joins. */
  approveRequest(params: v.ApproveRequest, options?: CallOptions): Promise<v.Approved> {
    return this.call("approveRequest", params, options);
  }

  /** What the policy says of a request for one own key: the rule, its line, and the values it met. */
  explainPolicy(params: v.ExplainPolicy, options?: CallOptions): Promise<v.PolicyExplained> {
    return this.call("explainPolicy", params, options);
  }

  /** Reads the policy file again, and looks anew at what waits. A broken file changes nothing. */
  reloadPolicy(params: v.ReloadPolicy = {}, options?: CallOptions): Promise<v.PolicyReloaded> {
    return this.call("reloadPolicy", params, options);
  }

  /** A page of events from a seq on; with waitMs it waits for the first. */
  getEvents(params: v.GetEvents, options?: CallOptions): Promise<v.EventPage> {
    return this.call("getEvents", params, options);
  }

  /** Posts events to a URL from now on, each until it is taken. The secret is shown only this once. */
  createWebhook(params: v.CreateWebhook, options?: CallOptions): Promise<v.WebhookMade> {
    return this.call("createWebhook", params, options);
  }

  /** Webhooks, how far each has been told, and why one is not. Only `admin` sees those of other tokens. */
  listWebhooks(params: v.NoParams = {}, options?: CallOptions): Promise<v.WebhookList> {
    return this.call("listWebhooks", params, options);
  }

  /** Ends a webhook; so does the end of the token that made it. */
  deleteWebhook(params: v.NameWebhook, options?: CallOptions): Promise<v.WebhookDeleted> {
    return this.call("deleteWebhook", params, options);
  }

  /** What the token of this call may do: its scopes, its keys, and the methods that it may call. */
  getRights(params: v.NoParams = {}, options?: CallOptions): Promise<v.Rights> {
    return this.call("getRights", params, options);
  }

  /** This API as an OpenRPC document, generated from the models. */
  discover(params: v.NoParams = {}, options?: CallOptions): Promise<v.OpenRpc> {
    return this.call("rpc.discover", params, options);
  }

  /** A token for a wallet: what it may do, and with which keys. The token itself is shown only this once. */
  createToken(params: v.CreateToken, options?: CallOptions): Promise<v.TokenMade> {
    return this.call("createToken", params, options);
  }

  /** Tokens in force, without the tokens themselves. */
  listTokens(params: v.NoParams = {}, options?: CallOptions): Promise<v.TokenList> {
    return this.call("listTokens", params, options);
  }

  /** Ends a token and closes the connections that use it. */
  revokeToken(params: v.RevokeToken, options?: CallOptions): Promise<v.Revoked> {
    return this.call("revokeToken", params, options);
  }

  /** What was done with the keys, by whom: lines of the audit log, in order. */
  getAuditLog(params: v.ReadAuditLog = {}, options?: CallOptions): Promise<v.AuditPage> {
    return this.call("getAuditLog", params, options);
  }

  /** Whether the stored audit log is what was written, and holds anchors that were printed before. */
  verifyAuditLog(params: v.VerifyAuditLog = {}, options?: CallOptions): Promise<v.AuditVerified> {
    return this.call("verifyAuditLog", params, options);
  }
}
