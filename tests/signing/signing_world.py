"""Daemons without RPC server and libp2p: real stores, keys, event logs and signing services on a network in memory."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from daemon.api.guard import refusal_of
from daemon.api.policy import PolicyMethods
from daemon.audit.log import AuditLog
from daemon.clock import SystemClock
from daemon.errors import Refused
from daemon.events import Event, EventLog
from daemon.keys.keystore import Keystore
from daemon.keys.passphrase import PassphraseFile, PassphraseSource
from daemon.keys.sealing import KdfCost
from daemon.keys.vault import Costs
from daemon.peers.standings import Standings
from daemon.policy.in_force import FILE_NAME, RulesOnRecord
from daemon.policy.policy import OwnerPolicy, PolicySurroundings
from daemon.policy.transactions import TransactionPolicy
from daemon.signing.limits import SigningLimits
from daemon.signing.ports import Surroundings
from daemon.signing.service import SigningService
from daemon.store import Store
from musig2 import scheme
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Notice, Request
from musig2.protocol.wire.frames import Signed
from rpc.caller import Caller, owner
from rpc.errors import ApiError
from rpc.handlers import approvals_handlers, policy_handlers, requests_handlers, sessions_handlers, unwanted_handlers
from rpc.methods.table import METHODS
from rpc.models.requests import AnnounceSigningRequest
from tests.signing.memory_net import LONGEST_S, Hub, MemoryNet

CHEAP = Costs(chosen=KdfCost(1, 8192), generated=KdfCost(1, 8192))


class Book:
    """The directory of a world: which peer speaks for a key. Everybody reads the same one."""

    def __init__(self) -> None:
        self.peers: dict[bytes, bytes] = {}
        self.addrs: dict[bytes, tuple[bytes, ...]] = {}
        self.criteria: dict[bytes, Advertisement] = {}  # what signers advertise for their own keys
        self.schemes: dict[bytes, tuple[str, ...]] = {}  # what signers advertise; empty where only routes are known
        self.outcomes: list[tuple[bytes, str]] = []
        self.response_ms: dict[bytes, int] = {}
        self.notices: list[Signed[Notice]] = []
        self.readers: list[Callable[[Signed[Notice]], None]] = []
        self.noticed = asyncio.Event()
        self._counted = asyncio.Event()

    def count(self, key: bytes, outcome: str) -> None:
        self.outcomes.append((key, outcome))
        self._counted.set()

    async def until(self, key: bytes, outcome: str) -> None:
        """Wait until this was counted: that may be a moment after its event."""
        async with asyncio.timeout(LONGEST_S):
            while (key, outcome) not in self.outcomes:
                self._counted.clear()
                await self._counted.wait()


class BookDiscovery:
    """One daemon's view of the book."""

    def __init__(self, book: Book, keystore: Keystore, identity: PeerIdentity, clock: SystemClock) -> None:
        self._book = book
        self._keystore = keystore
        self._identity = identity
        self._clock = clock

    def peers_of(self, pubkey: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        peer = self._book.peers.get(pubkey)
        return [] if peer is None else [(peer, self._book.addrs.get(peer, ()))]

    def schemes_of(self, pubkey: bytes) -> frozenset[str]:
        return frozenset(self._book.schemes.get(pubkey, ()))

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        return self._book.addrs.get(peer, ())

    async def resolve(self, pubkey: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        await asyncio.sleep(0)
        return self.peers_of(pubkey)

    def delegation_of(self, pubkey: bytes) -> bytes | None:
        if pubkey not in frozenset(self._keystore.keys()):
            return None
        now = self._clock.wall_ms()
        name = self._keystore.scheme_of(pubkey)
        ad = Advertisement(name, pubkey, self._identity.peer, (), ("spend",), now, now + 3_600_000)
        return seal(ad, lambda digest: self._keystore.sign(pubkey, digest), self._identity.sign).envelope

    def own_advertisement(self, pubkey: bytes) -> Advertisement | None:
        return self._book.criteria.get(pubkey)

    def standing_of(self, conn: sqlite3.Connection, pubkey: bytes) -> tuple[bool, int | None]:
        completed = self._book.outcomes.count((pubkey, "completed"))
        return completed > 0, min(100, 33 * completed) or None

    def record_outcome(self, pubkey: bytes, outcome: str, response_ms: int | None = None) -> None:
        if response_ms is not None:
            self._book.response_ms[pubkey] = response_ms
        self._book.count(pubkey, outcome)

    async def publish_notice(self, signed: Signed[Notice]) -> None:
        self._book.notices.append(signed)
        self._book.noticed.set()
        for reader in list(self._book.readers):
            reader(signed)


class Daemon:
    """One daemon of a world. `stop` and `start` again keep its folder, so it remembers; `kill` skips all politeness."""

    def __init__(self, world: World, folder: Path, seed: bytes) -> None:
        self.world = world
        self.folder = folder
        self.seed = seed
        self.identity = PeerIdentity(seed)
        self.clock = world.clock
        self.running = False
        self.key = b""
        self.reputations: dict[bytes, int] = {}
        self.net: MemoryNet | None = None
        self.addrs: tuple[bytes, ...] = ()
        self.configured: tuple[bytes, ...] = ()  # peers that its settings name
        self.signer_of: Callable[[Daemon], Any] = lambda daemon: None
        self.store_of: Callable[[Store], Any] = lambda store: store

    @property
    def peer(self) -> bytes:
        return self.identity.peer

    async def start(self, **settings: Any) -> Daemon:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = Store.open(self.folder / "musigd.db")
        self.events = EventLog(store=self.store, clock=self.clock)
        await self.events.start()
        self.keystore = Keystore(store=self.store, clock=self.clock, events=self.events, costs=CHEAP)
        await self.keystore.start(PassphraseFile(PassphraseSource.GENERATED, self.folder / "passphrase"))
        self.standings = Standings(configured=self.configured)
        self.discovery = BookDiscovery(self.world.book, self.keystore, self.identity, self.clock)
        if "network" not in settings:
            settings["network"] = self.net = self.world.hub.join(self.peer, self)
        self.policy = OwnerPolicy(self.around_policy(), self.folder / FILE_NAME)
        self.signing_store = self.store_of(self.store)
        self.signer = self.signer_of(self)
        around = Surroundings(
            store=self.signing_store,
            events=self.events,
            keystore=self.keystore,
            identity=self.identity,
            discovery=self.discovery,
            clock=self.clock,
            addrs=lambda: self.addrs,
            rules=self.policy,
            label_of=self.world.labels_of,
            standings=self.standings,
            **{"limits": self.world.limits, "policy": TransactionPolicy(), **settings},
        )
        self.service = SigningService(around, self.signer)
        self.keystore.on_lock(self.service.own_keys.on_locked)
        self.keystore.on_unlock(self.service.own_keys.on_unlock)
        noted, finder = RulesOnRecord(self.policy, None, AuditLog(self.clock)), self.service.finder
        policy = PolicyMethods(
            policy=self.policy,
            foresight=self.service.foresight(self.policy),
            on_record=noted,
            requests=finder,
            store=self.store,
            events=self.events,
        )
        self.handlers = {
            **policy_handlers(policy),
            **approvals_handlers(self.service.approvals),
            **requests_handlers(self.service.requests),
            **sessions_handlers(self.service.sessions),
            **unwanted_handlers(self.service.unwanted),
        }
        self.world.book.readers.append(self.service.traffic.on_notice)
        await self.service.start()
        self.running = True
        return self

    def around_policy(self) -> PolicySurroundings:
        return PolicySurroundings(
            store=self.store, clock=self.clock, network="main", reputation_of=self.reputations.get
        )

    def write_policy(self, text: str) -> None:
        """Write the policy file for the next start or reload."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FILE_NAME).write_text(text)

    async def stop(self) -> None:
        if not self.running:
            return
        self.running = False
        self.world.book.readers.remove(self.service.traffic.on_notice)
        await self.service.stop()
        if self.net is not None and self.world.hub.nodes.get(self.peer) is self.net:
            self.world.hub.leave(self.peer)
        self.keystore.stop()
        await self.store.close()

    def on_frames(self, batch: Sequence[tuple[bytes, Any]]) -> None:
        self.service.traffic.on_frames(batch)

    def on_connected(self, peer: bytes) -> None:
        self.service.traffic.on_connected(peer)

    def on_disconnected(self, peer: bytes) -> None:
        if self.running:
            self.service.traffic.on_disconnected(peer)

    async def new_key(self, name: str) -> bytes:
        """Make a key and enter it into the book."""
        pubkey = (await self.keystore.create(name)).pubkey
        self.world.book.peers[pubkey] = self.peer
        self.key = self.key or pubkey
        return pubkey

    async def call(self, method: str, caller: Caller | None = None, /, **params: Any) -> dict[str, Any]:
        """An RPC method by its wire name, with params as JSON names them."""
        model = METHODS[method].params.model_validate(params)
        once = [None] if METHODS[method].idempotent else []
        try:
            answer = await self.handlers[method](caller or owner(), model, *once)
        except Refused as error:
            raise refusal_of(error) or error from error
        if isinstance(answer, BaseModel):
            answer = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert isinstance(answer, dict)
        METHODS[method].result.model_validate({**answer, "seq": 0})
        return answer

    def told(self, name: str | None = None) -> list[Event]:
        """The events so far, of one name or all."""
        return [event for event in self.events.read(1, 10_000) if name is None or event.event == name]

    async def until(self, name: str, count: int = 1, **data: Any) -> Event:
        """The `count`-th event of that name with these data; waits for it."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                found = [e for e in self.told(name) if all(e.data.get(k) == v for k, v in data.items())]
                if len(found) >= count:
                    return found[count - 1]
                await self.events.wait(self.events.next_seq)


class Stoppable(Protocol):
    async def stop(self) -> None: ...


class World:
    """Some daemons, one network, one book."""

    def __init__(self, folder: Path, hub: Hub | None = None, limits: SigningLimits | None = None) -> None:
        self.folder = folder
        self.hub = hub or Hub()
        self.network = f"test-{os.urandom(4).hex()}"
        self.book = Book()
        self.clock = SystemClock()
        self.limits = limits or SigningLimits(first_pause_ms=20)
        self.daemons: list[Daemon] = []
        self.remote: list[Stoppable] = []

    async def add(self, name: str = "lotus", *, keys: int = 1, rules: str | None = None, **settings: Any) -> Daemon:
        """One more daemon with that many keys; `rules`: the text of its policy file."""
        daemon = Daemon(self, self.folder / f"d{len(self.daemons)}", os.urandom(32))
        if rules is not None:
            daemon.write_policy(rules)
        await daemon.start(**settings)
        for _ in range(keys):
            await daemon.new_key(name)
        self.daemons.append(daemon)
        return daemon

    async def grow(self, count: int, name: str = "lotus") -> list[Daemon]:
        return [await self.add(name) for _ in range(count)]

    @staticmethod
    def labels_of(token: str) -> str:
        """Tokens of a world are called by what stands before the sign: anna#1 and anna#2 are both anna."""
        return token.partition("#")[0]

    async def stop(self) -> None:
        for daemon in (*self.remote, *self.daemons):
            await daemon.stop()


class HasKey(Protocol):
    """A daemon of the world, in this process or in another."""

    key: bytes


async def announce(creator: Daemon, signers: Sequence[HasKey], messages: int = 1, **params: Any) -> dict[str, Any]:
    """Ask these signers' first keys for that many signatures."""
    keys = [signer.key.hex() for signer in signers]
    items = [{"message": os.urandom(32).hex()} for _ in range(messages)]
    return await creator.call(
        "announceSigningRequest", publicKey=creator.key.hex(), requiredPublicKeys=keys, messages=items, **params
    )


async def join(signer: Daemon, request: str, **params: Any) -> dict[str, Any]:
    """Wait until the request is there, then join with the first key."""
    await signer.until("signing-request:received", requestId=request)
    return await signer.call("joinSigningRequest", requestId=request, publicKey=signer.key.hex(), **params)


async def _final(daemon: Daemon, request: str) -> dict[str, Any]:
    """Ask again while it is not ready: fifty signers on a busy machine take longer than one call may wait."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            try:
                return await daemon.call("getFinalSignature", requestId=request, waitMs=60_000)
            except ApiError as refusal:
                if refusal.reason != "not_ready":
                    raise


async def signatures(daemon: Daemon, request: str) -> list[str]:
    """The final signatures, verified under the aggregate keys of the request."""
    answer = await _final(daemon, request)
    shown = await daemon.call("getSigningRequest", requestId=request)
    assert shown["state"] == "complete"
    assert shown["signatures"] == answer["signatures"]
    record = _record(shown)
    rules = scheme(answer["scheme"])
    for item, signature in zip(record.items, answer["signatures"], strict=True):
        assert rules.schnorr_verify(item.agg, item.msg, bytes.fromhex(signature))
    return list(answer["signatures"])


def _record(shown: dict[str, Any]) -> Request:
    from daemon.signing.engine.restore import open_request

    return open_request(bytes.fromhex(shown["envelope"])).record


__all__ = ["AnnounceSigningRequest", "Book", "Daemon", "World", "announce", "join", "signatures"]
