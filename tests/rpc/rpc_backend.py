"""A daemon in memory behind the API: small, but it keeps keys, requests and tokens apart as the real one does."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

from rpc import answers
from rpc.caller import Caller, scopes_of
from rpc.errors import ApiError, not_found, unknown_key
from rpc.handlers import Backend, handlers_of
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models import advertisements, audit, keys, node, policy, requests, sessions
from rpc.models.wire import NoParams, NoParamsChange
from rpc.ports import Handler, Once
from rpc.sent_secret import SentSecret
from tests.rpc.rpc_contacts import ContactBook, HookBook
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import MemoryTokens

PASSPHRASE = "correct horse"


class Keys:
    """Public keys only; a new one is a number pressed into the form of a key."""

    def __init__(self, log: MemoryLog, tokens: MemoryTokens) -> None:
        self.rows: dict[str, dict[str, Any]] = {samples.KEY_A: dict(samples.KEY)}
        self.locked = False
        self._log = log
        self._tokens = tokens
        self._numbers = itertools.count(1)

    def own(self, caller: Caller, pubkey: str) -> dict[str, Any]:
        caller.require_key(bytes.fromhex(pubkey))
        if pubkey not in self.rows:
            raise unknown_key(bytes.fromhex(pubkey))
        return self.rows[pubkey]

    async def create_key(self, caller: Caller, params: keys.CreateKey, once: Once | None = None) -> keys.KeyMade:
        if self.locked:
            raise ApiError("locked", "The keys are locked; unlock them with the passphrase.")
        return self._add(caller, f"02{next(self._numbers):064x}", params.scheme, params.label)

    async def import_key(self, caller: Caller, params: keys.ImportKey) -> keys.KeyMade:
        secret = (params.private_key or params.export_passphrase or SentSecret.of("")).view
        return self._add(caller, f"03{hashlib.sha256(secret).hexdigest()}", params.scheme, params.label)

    def _add(self, caller: Caller, pubkey: str, scheme: str, label: str | None) -> keys.KeyMade:
        if pubkey in self.rows:
            raise ApiError("already_exists", "This key is here already.")
        row = {**samples.KEY, "publicKey": pubkey, "scheme": scheme, "label": label or ""}
        self.rows[pubkey] = row
        fact = self._tokens.get(caller.token_id)
        if fact is not None and fact.keys is not None:
            grown = fact.keys | {bytes.fromhex(pubkey)}
            self._tokens.put(type(fact)(fact.token_id, fact.digest, fact.scopes, grown, fact.create_key))
        self._log.append("signer:advertised", publicKeys=[pubkey])
        return keys.KeyMade.model_validate({name: row[name] for name in ("publicKey", "scheme", "label")})

    async def export_key(self, caller: Caller, params: keys.ExportKey) -> keys.ExportedKey:
        row = self.own(caller, params.public_key)
        return keys.ExportedKey(public_key=params.public_key, scheme=row["scheme"], sealed_key=samples.SEALED_KEY)

    async def delete_key(self, caller: Caller, params: keys.NameKey, once: Once | None = None) -> keys.KeyDeleted:
        self.own(caller, params.public_key)
        del self.rows[params.public_key]
        return keys.KeyDeleted(public_key=params.public_key, deleted=True)

    async def list_keys(self, caller: Caller, params: NoParams) -> keys.KeyList:
        seen = [row for pubkey, row in self.rows.items() if caller.sees(bytes.fromhex(pubkey))]
        return keys.KeyList.model_validate({"keys": seen})

    async def pause_key(self, caller: Caller, params: keys.NameKey, once: Once | None = None) -> keys.ChangedKey:
        self.own(caller, params.public_key)["paused"] = True
        return keys.ChangedKey.model_validate(self.rows[params.public_key])

    async def resume_key(self, caller: Caller, params: keys.NameKey, once: Once | None = None) -> keys.ChangedKey:
        self.own(caller, params.public_key)["paused"] = False
        return keys.ChangedKey.model_validate(self.rows[params.public_key])

    async def unlock(self, caller: Caller, params: keys.Unlock) -> keys.LockState:
        if params.passphrase.view != PASSPHRASE.encode():
            raise ApiError("wrong_passphrase", "That is not the passphrase.")
        self.locked = False
        return keys.LockState(locked=False)

    async def lock(self, caller: Caller, params: NoParamsChange, once: Once | None = None) -> keys.LockState:
        self.locked = True
        return keys.LockState(locked=True)

    async def change_passphrase(self, caller: Caller, params: keys.ChangePassphrase) -> keys.PassphraseChanged:
        return keys.PassphraseChanged(changed=True)


class Node:
    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def get_info(self, caller: Caller, params: NoParams) -> node.Info:
        info = {**_answer("getInfo"), "nextSeq": self._log.next_seq, "logId": self._log.log_id}
        return node.Info.model_validate(info)

    async def get_settings(self, caller: Caller, params: NoParams) -> node.SettingsInForce:
        return node.SettingsInForce.model_validate(_answer("getSettings"))

    async def get_audit_log(self, caller: Caller, params: audit.ReadAuditLog) -> audit.AuditPage:
        return audit.AuditPage.model_validate(_answer("getAuditLog"))

    async def verify_audit_log(self, caller: Caller, params: audit.VerifyAuditLog) -> audit.AuditVerified:
        return audit.AuditVerified.model_validate(_answer("verifyAuditLog"))

    async def list_peers(self, caller: Caller, params: NoParams) -> node.PeerList:
        return node.PeerList.model_validate(_answer("listPeers"))

    async def connect_peer(
        self, caller: Caller, params: node.ConnectPeer, once: Once | None = None
    ) -> node.ConnectedPeer:
        return node.ConnectedPeer(peer_id=params.multiaddr.rpartition("/")[2], already_connected=False)

    async def disconnect_peer(self, caller: Caller, params: node.NamePeer, once: Once | None = None) -> node.NamedPeer:
        return node.NamedPeer(peer_id=params.peer_id)

    async def ban_peer(self, caller: Caller, params: node.BanPeer, once: Once | None = None) -> node.Banned:
        self._log.append("peer:banned", peerId=params.peer_id, publicKeys=[])
        return node.Banned(peer_id=params.peer_id, until=samples.NOW + params.duration_ms, reason=params.reason)

    async def unban_peer(self, caller: Caller, params: node.NamePeer, once: Once | None = None) -> node.NamedPeer:
        return node.NamedPeer(peer_id=params.peer_id)

    async def list_bans(self, caller: Caller, params: NoParams) -> node.BanList:
        return node.BanList(bans=())


class Discovery:
    def __init__(self, own: Keys, followed: dict[str, set[str]]) -> None:
        self._keys = own
        self._followed = followed

    async def advertise_signer(
        self, caller: Caller, params: advertisements.AdvertiseSigner, once: Once | None = None
    ) -> Any:
        self._keys.own(caller, params.public_key)
        reach = {"direct": 0, "gossip": 0, "dht": False}
        return {**samples.ADVERTISEMENT, "publicKey": params.public_key, "own": True, "reach": reach}

    async def withdraw_advertisement(
        self, caller: Caller, params: advertisements.WithdrawAdvertisement, once: Once | None = None
    ) -> advertisements.Withdrawn:
        self._keys.own(caller, params.public_key)
        return advertisements.Withdrawn(withdrawn=True)

    async def list_advertisements(self, caller: Caller, params: NoParams) -> answers.AdvertisementList:
        return {"advertisements": []}

    async def find_available_signers(self, caller: Caller, params: advertisements.FindAvailableSigners) -> Any:
        return {"signers": [samples.ADVERTISEMENT], "sources": {"directory": 1}, "revision": 7}

    async def subscribe_to_signer_discovery(
        self, caller: Caller, params: advertisements.SubscribeToSignerDiscovery, once: Once | None = None
    ) -> answers.FollowedTypes:
        followed = self._followed.setdefault(caller.token_id, set())
        followed |= set(params.transaction_types)
        return {"transactionTypes": sorted(followed)}

    async def unsubscribe_from_signer_discovery(
        self, caller: Caller, params: advertisements.UnsubscribeFromSignerDiscovery, once: Once | None = None
    ) -> answers.FollowedTypes:
        followed = self._followed.setdefault(caller.token_id, set())
        followed -= set(params.transaction_types or followed)
        return {"transactionTypes": sorted(followed)}


class Signing:
    """One request and its session, both of KEY_A, and those that are announced."""

    def __init__(self, log: MemoryLog, own: Keys) -> None:
        self._log = log
        self._keys = own
        self._requests = {samples.REQUEST: dict(samples.SIGNING_REQUEST)}
        self._sessions = {samples.SESSION: dict(samples.SIGNING_SESSION)}

    def _request(self, caller: Caller, request_id: str) -> dict[str, Any]:
        row = self._requests.get(request_id)
        if row is None or not caller.sees_any(bytes.fromhex(key) for key in row["requiredPublicKeys"]):
            raise not_found("signing request")
        return row

    def _session(self, caller: Caller, session_id: str) -> dict[str, Any]:
        row = self._sessions.get(session_id)
        if row is None or not caller.sees_any(bytes.fromhex(each["publicKey"]) for each in row["signers"]):
            raise not_found("session")
        return row

    async def announce_signing_request(
        self, caller: Caller, params: requests.AnnounceSigningRequest, once: Once | None = None
    ) -> Any:
        self._keys.own(caller, params.public_key)
        request_id = f"{len(self._requests):064x}"
        found = {"aggregatedPublicKey": samples.AGGREGATE, "checked": True}
        items = [item.model_dump(by_alias=True, exclude_none=True) | found for item in params.items]
        row = {
            **samples.SIGNING_REQUEST,
            "requestId": request_id,
            "requiredPublicKeys": list(params.required_public_keys),
            "messages": items,
            "message": items[0]["message"],
            "tweaks": items[0]["tweaks"],
            "creator": params.public_key,
        }
        self._requests[request_id] = row
        self._log.append("signing-request:created", publicKeys=[params.public_key], requestId=request_id, request=row)
        return {"requestId": request_id, "sessionId": row["sessionId"], "request": row}

    async def find_signing_requests_for_me(self, caller: Caller, params: requests.FindSigningRequestsForMe) -> Any:
        seen = [
            row
            for row in self._requests.values()
            if caller.sees_any(bytes.fromhex(key) for key in row["requiredPublicKeys"])
        ]
        return {"requests": seen}

    async def get_signing_request(self, caller: Caller, params: requests.GetSigningRequest) -> Any:
        return self._request(caller, params.request_id)

    async def cancel_signing_request(
        self, caller: Caller, params: requests.CancelSigningRequest, once: Once | None = None
    ) -> Any:
        return {**self._request(caller, params.request_id), "state": "cancelled"}

    async def join_signing_request(
        self, caller: Caller, params: requests.JoinSigningRequest, once: Once | None = None
    ) -> Any:
        self._keys.own(caller, params.public_key)
        row = self._request(caller, params.request_id)
        return {"requestId": row["requestId"], "sessionId": row["sessionId"], "joined": [params.public_key]}

    async def decline_signing_request(
        self, caller: Caller, params: requests.DeclineSigningRequest, once: Once | None = None
    ) -> requests.Declined:
        self._keys.own(caller, params.public_key)
        self._request(caller, params.request_id)
        return requests.Declined(declined=True)

    async def get_session(self, caller: Caller, params: sessions.GetSession) -> Any:
        return self._session(caller, params.session_id)

    async def list_sessions(self, caller: Caller, params: sessions.ListSessions) -> Any:
        seen = [
            row
            for row in self._sessions.values()
            if caller.sees_any(bytes.fromhex(each["publicKey"]) for each in row["signers"])
        ]
        return {"sessions": seen}

    async def start_round1(self, caller: Caller, params: sessions.StartRound, once: Once | None = None) -> Any:
        return self._session(caller, params.session_id)

    async def start_round2(self, caller: Caller, params: sessions.StartRound, once: Once | None = None) -> Any:
        return self._session(caller, params.session_id)

    async def get_final_signature(self, caller: Caller, params: sessions.GetFinalSignature) -> Any:
        if params.request_id is not None:
            self._request(caller, params.request_id)
        else:
            self._session(caller, params.session_id or "")
        return _answer("getFinalSignature")

    async def abort_session(self, caller: Caller, params: sessions.AbortSession, once: Once | None = None) -> Any:
        return self._session(caller, params.session_id)

    async def close_session(
        self, caller: Caller, params: sessions.CloseSession, once: Once | None = None
    ) -> sessions.Closed:
        self._session(caller, params.session_id)
        return sessions.Closed(closed=True)

    async def notify_broadcast_complete(
        self, caller: Caller, params: sessions.NotifyBroadcastComplete, once: Once | None = None
    ) -> sessions.Notified:
        self._session(caller, params.session_id)
        return sessions.Notified(session_id=params.session_id, txid=params.txid)

    async def get_evidence(self, caller: Caller, params: sessions.GetEvidence) -> Any:
        self._session(caller, params.session_id)
        return _answer("getEvidence")


class Unwanted:
    def __init__(self, log: MemoryLog, signing: Signing) -> None:
        self._log = log
        self._signing = signing
        self._muted: set[str] = set()

    async def dismiss_request(
        self, caller: Caller, params: requests.DismissRequest, once: Once | None = None
    ) -> requests.Dismissed:
        await self._signing.get_signing_request(caller, requests.GetSigningRequest(request_id=params.request_id))
        return requests.Dismissed(request_id=params.request_id, dismissed=params.dismissed)

    async def mute_creator(
        self, caller: Caller, params: requests.MuteCreator, once: Once | None = None
    ) -> requests.Muted:
        self._muted.add(params.public_key)
        self._log.append("creator:muted", publicKey=params.public_key, muted=True)
        return requests.Muted(public_key=params.public_key, muted=True)

    async def unmute_creator(
        self, caller: Caller, params: requests.MuteCreator, once: Once | None = None
    ) -> requests.Muted:
        self._muted.discard(params.public_key)
        return requests.Muted(public_key=params.public_key, muted=False)

    async def list_muted_creators(self, caller: Caller, params: NoParams) -> requests.MutedList:
        return requests.MutedList(
            creators=tuple(requests.MutedCreator(public_key=key, since=1) for key in sorted(self._muted))
        )


class Approvals:
    async def list_pending_approvals(self, caller: Caller, params: policy.ListPendingApprovals) -> Any:
        return _answer("listPendingApprovals")

    async def approve_request(self, caller: Caller, params: policy.ApproveRequest, once: Once | None = None) -> Any:
        caller.require_key(bytes.fromhex(params.public_key))
        return {name: value for name, value in _answer("approveRequest").items() if name != "seq"}


class Policy:
    async def explain_policy(self, caller: Caller, params: policy.ExplainPolicy) -> policy.PolicyExplained:
        caller.require_key(bytes.fromhex(params.public_key))
        return policy.PolicyExplained.model_validate(_answer("explainPolicy"))

    async def reload_policy(
        self, caller: Caller, params: policy.ReloadPolicy, once: Once | None = None
    ) -> policy.PolicyReloaded:
        return policy.PolicyReloaded.model_validate(_answer("reloadPolicy"))


class Tokens:
    def __init__(self, store: MemoryTokens) -> None:
        self._store = store
        self._numbers = itertools.count(1)
        store.make("t0", "read")

    async def create_token(self, caller: Caller, params: node.CreateToken) -> node.TokenMade:
        scopes_of(params.scopes)
        token = self._store.make(f"made-{next(self._numbers)}", *params.scopes, keys=params.public_keys)
        return node.TokenMade(token_id=f"id-{token}", token=token)

    async def list_tokens(self, caller: Caller, params: NoParams) -> node.TokenList:
        row = _answer("listTokens")["tokens"][0]
        tokens = [{**row, "tokenId": fact.token_id} for fact in self._store.all()]
        return node.TokenList.model_validate({"tokens": tokens})

    async def revoke_token(self, caller: Caller, params: node.RevokeToken, once: Once | None = None) -> node.Revoked:
        return node.Revoked(revoked=self._store.revoke(params.token_id))


def _answer(name: str) -> Any:
    """The answer of the documentation."""
    return METHODS[name].answer


def memory_backend(
    log: MemoryLog, tokens: MemoryTokens, followed: dict[str, set[str]] | None = None
) -> dict[str, Handler]:
    """Every handler the server cannot answer itself. `followed`: where it notes which token follows which types."""
    own = Keys(log, tokens)
    discovery = Discovery(own, {} if followed is None else followed)
    node_, signing = Node(log), Signing(log, own)
    return handlers_of(
        Backend(
            info=node_,
            settings=node_,
            peers=node_,
            contacts=ContactBook(),
            audit=node_,
            keys=own,
            tokens=Tokens(tokens),
            discovery=discovery,
            requests=signing,
            sessions=signing,
            unwanted=Unwanted(log, signing),
            approvals=Approvals(),
            policy=Policy(),
            webhooks=HookBook(),
        )
    )
