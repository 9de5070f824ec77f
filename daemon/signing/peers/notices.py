"""Notices say "somebody asks one of these keys": publishes them, recognises own keys in them, fetches and serves.

All that others learn from a notice is that this peer asks somebody; the request itself goes only to peers that show a
signed delegation of a required key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from secrets import token_bytes

import structlog

from daemon.clock import Clock
from daemon.fair_queue import FairQueue
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.incoming import introduce
from daemon.signing.peers.key_schemes import KeySchemes
from daemon.signing.ports import Identity, SignerDirectory, SigningKeystore, SigningNetwork, SigningStore
from daemon.signing.store import reads as reading
from daemon.tasks import BackgroundTasks
from musig2.protocol.records.checks import is_ahead
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import tag_of
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frame_codec import MAX_DELEGATIONS, delegations_of, encode_frame
from musig2.protocol.wire.frames import Fetch, Signed
from p2p.network import Work

log = structlog.get_logger("musigd.signing")

ASKERS = 256  # peers remembered because their notice named an own key
ASKED_AT_ONCE = 32  # a dial into nothing takes seconds
PLACE_BYTES = 5  # of a multiaddr: its kind and an IPv4 address, or the 32 bits of an IPv6 one that a provider has
SHOWN_AGAIN_MS = 600_000  # how long a delegation made for a fetch is used before another is made


@dataclass(frozen=True, slots=True, eq=False)
class _Asking:
    """Somebody who has to be dialled. `done` is cancelled when that was tried, or is not to be."""

    peer: bytes
    keys: Sequence[bytes]
    done: asyncio.Future[None]


def _nobody() -> FairQueue[_Asking]:
    return FairQueue(per_party=ASKERS, total=ASKERS)


class Notices:
    """Publishes notices for signers that were not reached, and reacts to those of others."""

    def __init__(
        self,
        *,
        store: SigningStore,
        network: SigningNetwork,
        discovery: SignerDirectory,
        keystore: SigningKeystore,
        identity: Identity,
        clock: Clock,
        roster: Roster,
        schemes: KeySchemes,
        limits: SigningLimits,
    ) -> None:
        self._store = store
        self._network = network
        self._discovery = discovery
        self._keystore = keystore
        self._identity = identity
        self._clock = clock
        self._roster = roster
        self._schemes = schemes
        self._limits = limits
        self._published: dict[bytes, int] = {}  # request -> when, on the wall clock
        self._askers: dict[bytes, dict[bytes, int]] = {}  # peer -> own keys that its notices named, and until when
        self._to_ask: FairQueue[_Asking] = _nobody()
        self._asking = 0
        self._delegations: dict[bytes, tuple[bytes, int]] = {}  # own key -> envelope, and until when it is shown
        self._tasks = BackgroundTasks("signing notices")

    async def stop(self) -> None:
        """Cancel what is under way."""
        self._to_ask = _nobody()
        await self._tasks.stop()

    def unreached(self, entry: OpenRequest) -> None:
        """A signer of this request could not be reached: publish a notice once, if an own key created it."""
        request = entry.request
        missing = [request.record.keys[index] for index in entry.others if index not in entry.handover.delivered]
        if not missing or request.record.creator not in entry.own or self._is_published(request.id):
            return
        self._published[request.id] = self._clock.wall_ms()
        self._tasks.once("publish", self._discovery.publish_notice(self._notice(missing, request.record.expires)))

    def forget(self, entry: OpenRequest) -> None:
        """This request has left memory."""
        self._published.pop(entry.request.id, None)

    def _is_published(self, request: bytes) -> bool:
        """Whether a notice is published that peers accepted: not one made while the clock was ahead."""
        at_ms = self._published.get(request)
        return at_ms is not None and not is_ahead(at_ms, self._clock.wall_ms(), self._limits.wire)

    def _notice(self, keys: Sequence[bytes], expires: int) -> Signed[Notice]:
        salt = token_bytes(16)
        record = Notice(
            peer=self._identity.peer,
            salt=salt,
            tags=tuple(sorted(tag_of(key, salt) for key in keys)),
            ts=self._clock.wall_ms(),
            exp=expires,
        )
        return seal(record, self._identity.sign)

    def on_notice(self, signed: Signed[Notice]) -> None:
        """A notice, verified by discovery: if it names an own key, fetch the request from its publisher."""
        notice = signed.record
        if notice.peer == self._identity.peer or notice.exp <= self._clock.wall_ms():
            return
        tags = set(notice.tags)
        own = self._keystore.keys()
        named = [key for key in own if tag_of(key, notice.salt) in tags]
        if named:
            known = self._askers.pop(notice.peer, {})
            self._askers[notice.peer] = known | {key: max(notice.exp, known.get(key, 0)) for key in named}
            while len(self._askers) > ASKERS:
                del self._askers[next(iter(self._askers))]
            self._ask(notice.peer, named)

    async def ask_again(self) -> None:
        """Fetch again from every peer whose notice named an own key and is still in force."""
        now = self._clock.wall_ms()
        held = {peer: {key: until for key, until in keys.items() if until > now} for peer, keys in self._askers.items()}
        self._askers = {peer: keys for peer, keys in held.items() if keys}
        await asyncio.gather(
            *(self._ask(peer, list(keys)) for peer, keys in self._askers.items()), return_exceptions=True
        )

    def _ask(self, peer: bytes, keys: Sequence[bytes]) -> asyncio.Future[None]:
        """Ask a connected peer at once; who has to be dialled waits, and the places where they say to be take turns."""
        if self._network.connected(peer):
            return self._tasks.once("ask", self._ask_for(peer, keys))
        asking = _Asking(peer, keys, asyncio.get_running_loop().create_future())
        addrs = self._discovery.addresses_of(peer)
        self._network.charge(peer, Work.DIAL)
        lost = self._to_ask.put(addrs[0][:PLACE_BYTES] if addrs else b"", asking)
        if lost is not None:
            lost.done.cancel()
        self._ask_next()
        return asking.done

    def _ask_next(self) -> None:
        while self._to_ask and self._asking < ASKED_AT_ONCE:
            self._asking += 1
            asking = self._to_ask.take()
            task = self._tasks.once("ask", self._ask_for(asking.peer, asking.keys))
            task.add_done_callback(partial(self._asked, asking))

    def _asked(self, asking: _Asking, _: asyncio.Task[None]) -> None:
        asking.done.cancel()
        self._asking -= 1
        self._ask_next()

    async def _ask_for(self, peer: bytes, keys: Sequence[bytes]) -> None:
        """Fetch the requests for these keys; the peer is not told that this daemon has others."""
        if not await self._reach(peer):
            log.info("a peer asks one of our keys and cannot be reached", peer=peer_text(peer))
            return
        own = self._keystore.keys()
        found = (self._delegation_of(key) for key in keys if key in own)
        delegations = tuple(envelope for envelope in found if envelope is not None)
        for start in range(0, len(delegations), MAX_DELEGATIONS):
            self._network.send(peer, [encode_frame(Fetch(delegations[start : start + MAX_DELEGATIONS]))])

    async def _reach(self, peer: bytes) -> bool:
        if self._network.connected(peer):
            return True
        return await self._network.dial(peer, self._discovery.addresses_of(peer), hearsay=True)

    def _delegation_of(self, key: bytes) -> bytes | None:
        now = self._clock.mono_ms()
        envelope, until = self._delegations.get(key, (None, 0))
        if envelope is None or until <= now:
            envelope = self._discovery.delegation_of(key)
            if envelope is not None:
                self._delegations[key] = (envelope, now + SHOWN_AGAIN_MS)
        return envelope

    def serve(self, turn: Turn, peer: bytes, fetch: Fetch) -> None:
        """Send a peer the open requests for a key whose delegation it shows; the gate checked the signatures."""
        for delegation in delegations_of(fetch):
            record = delegation.record
            if record.peer == peer and record.exp > turn.now.wall_ms:
                self._schemes.shown(record)
                self._serve_key(turn, peer, record.pubkey)

    def _serve_key(self, turn: Turn, peer: bytes, key: bytes) -> None:
        limit = self._limits.fetched_requests
        for request in self._store.read(lambda conn: reading.open_requests_for(conn, key, limit)):
            entry = self._roster.get(request)
            if entry is None or key in entry.own or (entry.unsolicited and peer == entry.source):
                continue
            index = entry.request.record.keys.index(key)
            self._roster.suggest(entry, index, (*entry.candidates[index][-3:], peer))
            introduce(turn, entry, peer, (index,))
