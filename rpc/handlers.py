"""What serves the methods: a Protocol for each group, and which handler serves which method.

Written by `python -m rpc.schema.generate_handlers` from the table. A handler whose method takes an
idempotency key is given the place where its answer is kept, or None for a call without a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rpc import answers
from rpc.caller import Caller
from rpc.calls.call import CallContext
from rpc.models import advertisements, audit, events, keys, node, policy, requests, sessions, wire
from rpc.ports import Handler, Once


class InfoHandlers(Protocol):
    """getInfo."""

    async def get_info(self, caller: Caller, params: wire.NoParams) -> node.Info: ...


class SettingsHandlers(Protocol):
    """getSettings."""

    async def get_settings(self, caller: Caller, params: wire.NoParams) -> node.SettingsInForce: ...


class PeersHandlers(Protocol):
    """listPeers, connectPeer, disconnectPeer, banPeer, unbanPeer, listBans."""

    async def list_peers(self, caller: Caller, params: wire.NoParams) -> node.PeerList: ...
    async def connect_peer(self, caller: Caller, params: node.ConnectPeer, once: Once | None) -> node.ConnectedPeer: ...
    async def disconnect_peer(self, caller: Caller, params: node.NamePeer, once: Once | None) -> node.NamedPeer: ...
    async def ban_peer(self, caller: Caller, params: node.BanPeer, once: Once | None) -> node.Banned: ...
    async def unban_peer(self, caller: Caller, params: node.NamePeer, once: Once | None) -> node.NamedPeer: ...
    async def list_bans(self, caller: Caller, params: wire.NoParams) -> node.BanList: ...


class ContactsHandlers(Protocol):
    """addContact, listContacts, removeContact."""

    async def add_contact(self, caller: Caller, params: node.AddContact, once: Once | None) -> node.ContactAdded: ...
    async def list_contacts(self, caller: Caller, params: wire.NoParams) -> node.ContactList: ...
    async def remove_contact(
        self, caller: Caller, params: node.NameContact, once: Once | None
    ) -> node.ContactRemoved: ...


class KeysHandlers(Protocol):
    """createKey, importKey, exportKey, deleteKey, listKeys, pauseKey, resumeKey, unlock, lock, changePassphrase."""

    async def create_key(self, caller: Caller, params: keys.CreateKey, once: Once | None) -> keys.KeyMade: ...
    async def import_key(self, caller: Caller, params: keys.ImportKey) -> keys.KeyMade: ...
    async def export_key(self, caller: Caller, params: keys.ExportKey) -> keys.ExportedKey: ...
    async def delete_key(self, caller: Caller, params: keys.NameKey, once: Once | None) -> keys.KeyDeleted: ...
    async def list_keys(self, caller: Caller, params: wire.NoParams) -> keys.KeyList: ...
    async def pause_key(self, caller: Caller, params: keys.NameKey, once: Once | None) -> keys.ChangedKey: ...
    async def resume_key(self, caller: Caller, params: keys.NameKey, once: Once | None) -> keys.ChangedKey: ...
    async def unlock(self, caller: Caller, params: keys.Unlock) -> keys.LockState: ...
    async def lock(self, caller: Caller, params: wire.NoParamsChange, once: Once | None) -> keys.LockState: ...
    async def change_passphrase(self, caller: Caller, params: keys.ChangePassphrase) -> keys.PassphraseChanged: ...


class TokensHandlers(Protocol):
    """createToken, listTokens, revokeToken."""

    async def create_token(self, caller: Caller, params: node.CreateToken) -> node.TokenMade: ...
    async def list_tokens(self, caller: Caller, params: wire.NoParams) -> node.TokenList: ...
    async def revoke_token(self, caller: Caller, params: node.RevokeToken, once: Once | None) -> node.Revoked: ...


class DiscoveryHandlers(Protocol):
    """advertiseSigner to unsubscribeFromSignerDiscovery."""

    async def advertise_signer(
        self, caller: Caller, params: advertisements.AdvertiseSigner, once: Once | None
    ) -> advertisements.Advertised | answers.Advertised: ...
    async def withdraw_advertisement(
        self, caller: Caller, params: advertisements.WithdrawAdvertisement, once: Once | None
    ) -> advertisements.Withdrawn | answers.Withdrawn: ...
    async def list_advertisements(
        self, caller: Caller, params: wire.NoParams
    ) -> advertisements.AdvertisementList | answers.AdvertisementList: ...
    async def find_available_signers(
        self, caller: Caller, params: advertisements.FindAvailableSigners
    ) -> advertisements.FoundSigners | answers.FoundSigners: ...
    async def subscribe_to_signer_discovery(
        self, caller: Caller, params: advertisements.SubscribeToSignerDiscovery, once: Once | None
    ) -> advertisements.FollowedTypes | answers.FollowedTypes: ...
    async def unsubscribe_from_signer_discovery(
        self, caller: Caller, params: advertisements.UnsubscribeFromSignerDiscovery, once: Once | None
    ) -> advertisements.FollowedTypes | answers.FollowedTypes: ...


class RequestsHandlers(Protocol):
    """announceSigningRequest to cancelSigningRequest."""

    async def announce_signing_request(
        self, caller: Caller, params: requests.AnnounceSigningRequest, once: Once | None
    ) -> requests.Announced | answers.Announced: ...
    async def find_signing_requests_for_me(
        self, caller: Caller, params: requests.FindSigningRequestsForMe
    ) -> requests.RequestList | answers.RequestList: ...
    async def get_signing_request(
        self, caller: Caller, params: requests.GetSigningRequest
    ) -> requests.SigningRequest | answers.SigningRequest: ...
    async def join_signing_request(
        self, caller: Caller, params: requests.JoinSigningRequest, once: Once | None
    ) -> requests.Joined | answers.Joined: ...
    async def decline_signing_request(
        self, caller: Caller, params: requests.DeclineSigningRequest, once: Once | None
    ) -> requests.Declined | answers.Declined: ...
    async def cancel_signing_request(
        self, caller: Caller, params: requests.CancelSigningRequest, once: Once | None
    ) -> requests.ChangedRequest | answers.ChangedRequest: ...


class SessionsHandlers(Protocol):
    """getSession to getEvidence."""

    async def get_session(self, caller: Caller, params: sessions.GetSession) -> sessions.Session | answers.Session: ...
    async def list_sessions(
        self, caller: Caller, params: sessions.ListSessions
    ) -> sessions.SessionList | answers.SessionList: ...
    async def start_round1(
        self, caller: Caller, params: sessions.StartRound, once: Once | None
    ) -> sessions.ChangedSession | answers.ChangedSession: ...
    async def start_round2(
        self, caller: Caller, params: sessions.StartRound, once: Once | None
    ) -> sessions.ChangedSession | answers.ChangedSession: ...
    async def get_final_signature(
        self, caller: Caller, params: sessions.GetFinalSignature
    ) -> sessions.FinalSignature | answers.FinalSignature: ...
    async def abort_session(
        self, caller: Caller, params: sessions.AbortSession, once: Once | None
    ) -> sessions.ChangedSession | answers.ChangedSession: ...
    async def close_session(
        self, caller: Caller, params: sessions.CloseSession, once: Once | None
    ) -> sessions.Closed | answers.Closed: ...
    async def notify_broadcast_complete(
        self, caller: Caller, params: sessions.NotifyBroadcastComplete, once: Once | None
    ) -> sessions.Notified | answers.Notified: ...
    async def get_evidence(
        self, caller: Caller, params: sessions.GetEvidence
    ) -> sessions.Evidence | answers.Evidence: ...


class UnwantedHandlers(Protocol):
    """dismissRequest, muteCreator, unmuteCreator, listMutedCreators."""

    async def dismiss_request(
        self, caller: Caller, params: requests.DismissRequest, once: Once | None
    ) -> requests.Dismissed: ...
    async def mute_creator(self, caller: Caller, params: requests.MuteCreator, once: Once | None) -> requests.Muted: ...
    async def unmute_creator(
        self, caller: Caller, params: requests.MuteCreator, once: Once | None
    ) -> requests.Muted: ...
    async def list_muted_creators(self, caller: Caller, params: wire.NoParams) -> requests.MutedList: ...


class ApprovalsHandlers(Protocol):
    """listPendingApprovals, approveRequest."""

    async def list_pending_approvals(
        self, caller: Caller, params: policy.ListPendingApprovals
    ) -> policy.PendingApprovals | answers.PendingApprovals: ...
    async def approve_request(
        self, caller: Caller, params: policy.ApproveRequest, once: Once | None
    ) -> policy.Approved | answers.Approved: ...


class PolicyHandlers(Protocol):
    """explainPolicy, reloadPolicy."""

    async def explain_policy(self, caller: Caller, params: policy.ExplainPolicy) -> policy.PolicyExplained: ...
    async def reload_policy(
        self, caller: Caller, params: policy.ReloadPolicy, once: Once | None
    ) -> policy.PolicyReloaded: ...


class WebhooksHandlers(Protocol):
    """createWebhook, listWebhooks, deleteWebhook."""

    async def create_webhook(self, caller: Caller, params: events.CreateWebhook) -> events.WebhookMade: ...
    async def list_webhooks(self, caller: Caller, params: wire.NoParams) -> events.WebhookList: ...
    async def delete_webhook(
        self, caller: Caller, params: events.NameWebhook, once: Once | None
    ) -> events.WebhookDeleted: ...


class AuditHandlers(Protocol):
    """getAuditLog, verifyAuditLog."""

    async def get_audit_log(self, caller: Caller, params: audit.ReadAuditLog) -> audit.AuditPage: ...
    async def verify_audit_log(self, caller: Caller, params: audit.VerifyAuditLog) -> audit.AuditVerified: ...


class PureHandlers(Protocol):
    """aggregateKeys, verifySignature."""

    async def aggregate_keys(self, caller: Caller, params: keys.AggregateKeys) -> keys.AggregatedKey: ...
    async def verify_signature(self, caller: Caller, params: keys.VerifySignature) -> keys.Verified: ...


class DescriptionHandlers(Protocol):
    """getRights, rpc.discover."""

    async def get_rights(self, caller: Caller, params: wire.NoParams) -> node.Rights | answers.Rights: ...
    async def rpc_discover(self, caller: Caller, params: wire.NoParams) -> node.OpenRpc | answers.OpenRpc: ...


class StreamHandlers(Protocol):
    """subscribe, unsubscribe, getEvents."""

    async def subscribe(
        self, message: CallContext, params: events.Subscribe
    ) -> events.Subscribed | answers.Subscribed: ...
    async def unsubscribe(self, message: CallContext, params: events.Unsubscribe) -> events.Unsubscribed: ...
    async def get_events(
        self, message: CallContext, params: events.GetEvents
    ) -> events.EventPage | answers.EventPage: ...


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything that the program serves."""

    info: InfoHandlers
    settings: SettingsHandlers
    peers: PeersHandlers
    contacts: ContactsHandlers
    keys: KeysHandlers
    tokens: TokensHandlers
    discovery: DiscoveryHandlers
    requests: RequestsHandlers
    sessions: SessionsHandlers
    unwanted: UnwantedHandlers
    approvals: ApprovalsHandlers
    policy: PolicyHandlers
    webhooks: WebhooksHandlers
    audit: AuditHandlers


def info_handlers(served: InfoHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {"getInfo": served.get_info}


def settings_handlers(served: SettingsHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {"getSettings": served.get_settings}


def peers_handlers(served: PeersHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "listPeers": served.list_peers,
        "connectPeer": served.connect_peer,
        "disconnectPeer": served.disconnect_peer,
        "banPeer": served.ban_peer,
        "unbanPeer": served.unban_peer,
        "listBans": served.list_bans,
    }


def contacts_handlers(served: ContactsHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "addContact": served.add_contact,
        "listContacts": served.list_contacts,
        "removeContact": served.remove_contact,
    }


def keys_handlers(served: KeysHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "createKey": served.create_key,
        "importKey": served.import_key,
        "exportKey": served.export_key,
        "deleteKey": served.delete_key,
        "listKeys": served.list_keys,
        "pauseKey": served.pause_key,
        "resumeKey": served.resume_key,
        "unlock": served.unlock,
        "lock": served.lock,
        "changePassphrase": served.change_passphrase,
    }


def tokens_handlers(served: TokensHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "createToken": served.create_token,
        "listTokens": served.list_tokens,
        "revokeToken": served.revoke_token,
    }


def discovery_handlers(served: DiscoveryHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "advertiseSigner": served.advertise_signer,
        "withdrawAdvertisement": served.withdraw_advertisement,
        "listAdvertisements": served.list_advertisements,
        "findAvailableSigners": served.find_available_signers,
        "subscribeToSignerDiscovery": served.subscribe_to_signer_discovery,
        "unsubscribeFromSignerDiscovery": served.unsubscribe_from_signer_discovery,
    }


def requests_handlers(served: RequestsHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "announceSigningRequest": served.announce_signing_request,
        "findSigningRequestsForMe": served.find_signing_requests_for_me,
        "getSigningRequest": served.get_signing_request,
        "joinSigningRequest": served.join_signing_request,
        "declineSigningRequest": served.decline_signing_request,
        "cancelSigningRequest": served.cancel_signing_request,
    }


def sessions_handlers(served: SessionsHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "getSession": served.get_session,
        "listSessions": served.list_sessions,
        "startRound1": served.start_round1,
        "startRound2": served.start_round2,
        "getFinalSignature": served.get_final_signature,
        "abortSession": served.abort_session,
        "closeSession": served.close_session,
        "notifyBroadcastComplete": served.notify_broadcast_complete,
        "getEvidence": served.get_evidence,
    }


def unwanted_handlers(served: UnwantedHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "dismissRequest": served.dismiss_request,
        "muteCreator": served.mute_creator,
        "unmuteCreator": served.unmute_creator,
        "listMutedCreators": served.list_muted_creators,
    }


def approvals_handlers(served: ApprovalsHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "listPendingApprovals": served.list_pending_approvals,
        "approveRequest": served.approve_request,
    }


def policy_handlers(served: PolicyHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "explainPolicy": served.explain_policy,
        "reloadPolicy": served.reload_policy,
    }


def webhooks_handlers(served: WebhooksHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "createWebhook": served.create_webhook,
        "listWebhooks": served.list_webhooks,
        "deleteWebhook": served.delete_webhook,
    }


def audit_handlers(served: AuditHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "getAuditLog": served.get_audit_log,
        "verifyAuditLog": served.verify_audit_log,
    }


def pure_handlers(served: PureHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "aggregateKeys": served.aggregate_keys,
        "verifySignature": served.verify_signature,
    }


def description_handlers(served: DescriptionHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "getRights": served.get_rights,
        "rpc.discover": served.rpc_discover,
    }


def stream_handlers(served: StreamHandlers) -> dict[str, Handler]:
    """By the name of the method."""
    return {
        "subscribe": served.subscribe,
        "unsubscribe": served.unsubscribe,
        "getEvents": served.get_events,
    }


def handlers_of(backend: Backend) -> dict[str, Handler]:
    """All of the program's, by the name of the method."""
    return {
        **info_handlers(backend.info),
        **settings_handlers(backend.settings),
        **peers_handlers(backend.peers),
        **contacts_handlers(backend.contacts),
        **keys_handlers(backend.keys),
        **tokens_handlers(backend.tokens),
        **discovery_handlers(backend.discovery),
        **requests_handlers(backend.requests),
        **sessions_handlers(backend.sessions),
        **unwanted_handlers(backend.unwanted),
        **approvals_handlers(backend.approvals),
        **policy_handlers(backend.policy),
        **webhooks_handlers(backend.webhooks),
        **audit_handlers(backend.audit),
    }
