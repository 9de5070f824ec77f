"""The RPC methods of discovery."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection

from daemon.clock import Clock
from daemon.discovery.api.follows import Follows
from daemon.discovery.api.queries import SignerSearch, cursor_of
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.directory.search import Query
from daemon.discovery.intake.views import full_view, view_of
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.publish import Published
from daemon.discovery.own.rows import AdvertisedTerms
from daemon.discovery.ports import AdvertisedKeys
from daemon.discovery.sync.rounds import Rounds
from rpc import answers
from rpc.caller import Caller
from rpc.models import advertisements as ads
from rpc.models.wire import NoParams
from rpc.ports import Once


class DirectoryMethods:
    """What clients call. `changed` is awaited when the set of topics to follow may have changed."""

    def __init__(
        self,
        *,
        own: OwnAdvertisements,
        search: SignerSearch,
        reads: DirectoryReads,
        follows: Follows,
        rounds: Rounds,
        keys: AdvertisedKeys,
        clock: Clock,
        default_ttl_ms: int,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._own = own
        self._search = search
        self._reads = reads
        self._follows = follows
        self._rounds = rounds
        self._keys = keys
        self._clock = clock
        self._default_ttl_ms = default_ttl_ms
        self._changed = changed

    async def advertise_signer(
        self, caller: Caller, params: ads.AdvertiseSigner, once: Once | None = None
    ) -> answers.Advertised:
        """Publish an own key and its terms."""
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        criteria = _criteria(params.criteria)
        metadata = params.metadata.model_dump(by_alias=True, exclude_none=True) if params.metadata else {}

        def keep(conn: sqlite3.Connection, view: answers.Advertisement) -> None:
            if once is not None:  # the publication has not begun
                once.keep(conn, _advertised(view, Published()))

        terms = AdvertisedTerms(criteria, metadata, params.ttl or self._default_ttl_ms)
        view, reach = await self._own.advertise(pubkey, terms, keep)
        await self._changed()
        return _advertised(view, reach)

    async def withdraw_advertisement(
        self, caller: Caller, params: ads.WithdrawAdvertisement, once: Once | None = None
    ) -> answers.Withdrawn:
        """Withdraw an own advertisement."""
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        await self._own.withdraw(pubkey)
        return {"withdrawn": True}

    async def list_advertisements(self, caller: Caller, params: NoParams) -> answers.AdvertisementList:
        """Own advertisements in force."""
        now_ms = self._clock.wall_ms()
        views = []
        for row in self._own.rows():
            signed = row.advertisement
            if signed is not None and row.exp > now_ms and caller.sees(row.pubkey):
                views.append(full_view(view_of(signed), signed.envelope, own=True, reputation=None))
        return {"advertisements": views}

    async def find_available_signers(self, caller: Caller, params: ads.FindAvailableSigners) -> answers.FoundSigners:
        """Signers whose terms match. Synchronises first if asked to, or if no synchronisation has completed yet."""
        asked = 0
        if params.refresh or not self._rounds.completed:
            asked = await self._rounds.refresh()
        before = cursor_of(params.cursor)
        query = Query(
            transaction_type=params.transaction_type,
            purpose=params.purpose,
            scheme=params.scheme,
            min_amount=params.min_amount,
            max_amount=params.max_amount,
            min_reputation=params.min_reputation or 0,
            before=before,
        )
        own = self._visible_keys(caller)
        found = self._search.find(query, limit=params.max_results, own=own, include_own=params.include_own)
        answer: answers.FoundSigners = {
            "signers": found.signers,
            "sources": {"directory": self._reads.size(), "peers": asked},
            "revision": self._reads.revision(),
        }
        if found.next_cursor is not None:
            answer["nextCursor"] = found.next_cursor
        return answer

    async def subscribe_to_signer_discovery(
        self, caller: Caller, params: ads.SubscribeToSignerDiscovery, once: Once | None = None
    ) -> answers.FollowedTypes:
        """Follow types."""
        await self._follows.add(caller.token_id, params.transaction_types)
        await self._changed()
        return {"transactionTypes": sorted(self._follows.types_of(caller.token_id))}

    async def unsubscribe_from_signer_discovery(
        self, caller: Caller, params: ads.UnsubscribeFromSignerDiscovery, once: Once | None = None
    ) -> answers.FollowedTypes:
        """Stop following types, or all."""
        await self._follows.remove(caller.token_id, params.transaction_types)
        await self._changed()
        return {"transactionTypes": sorted(self._follows.types_of(caller.token_id))}

    def _visible_keys(self, caller: Caller) -> Collection[bytes]:
        """Own keys from the caller's point of view: keys of other wallets on this daemon are other signers to it."""
        return frozenset(filter(caller.sees, self._keys.keys()))


def _criteria(given: ads.Criteria) -> answers.ShownCriteria:
    criteria: answers.ShownCriteria = {"transactionTypes": list(given.transaction_types)}
    if given.min_amount is not None:
        criteria["minAmount"] = given.min_amount
    if given.max_amount is not None:
        criteria["maxAmount"] = given.max_amount
    if given.trust_requirements is not None:
        criteria["trustRequirements"] = given.trust_requirements.model_dump(by_alias=True, exclude_none=True)
    return criteria


def _advertised(view: answers.Advertisement, reach: Published) -> answers.Advertised:
    return {**view, "reach": {"direct": reach.direct, "gossip": reach.gossip, "dht": reach.dht}}
