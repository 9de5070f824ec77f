"""Daemons that only discover: real stores, real signatures, a clock that tests move, an in-memory network."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import musig2
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.service import DiscoveryService
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.events import Event, EventLog
from daemon.keys.errors import KeysLocked
from daemon.peers.known_peers import KnownPeers
from daemon.signing.store.reads import keys_about_to_sign
from daemon.store import Store
from musig2 import SecretKey
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Entry, Withdrawal
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import Push, encode_ask
from p2p.addresses import from_text
from rpc import answers
from rpc.caller import OWNER, Caller, owner
from rpc.models import advertisements as ads
from rpc.models.wire import NoParams
from tests.discovery.discovery_net import MemoryNet, Wire

START_MS = 1_760_000_000_000
DAY_MS = 86_400_000
DEADLINE_S = 180.0


class MovedClock:
    """Wall and monotonic time that move only when a test says so."""

    def __init__(self) -> None:
        self.wall = START_MS
        self.mono = 1_000_000

    def wall_ms(self) -> int:
        return self.wall

    def mono_ms(self) -> int:
        return self.mono

    def forward(self, by_ms: int) -> None:
        self.wall += by_ms
        self.mono += by_ms


class KeyRing:
    """Own keys in memory; `locked` makes signing fail as a locked keystore does."""

    def __init__(self) -> None:
        self._keys: dict[bytes, tuple[str, SecretKey]] = {}
        self.locked = False

    def create(self, scheme: str = "lotus") -> bytes:
        secret = SecretKey.generate()
        self._keys[secret.pubkey] = (scheme, secret)
        return secret.pubkey

    def keys(self) -> tuple[bytes, ...]:
        return tuple(self._keys)

    def scheme_of(self, pubkey: bytes) -> str:
        return self._keys[pubkey][0]

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes:
        if self.locked:
            raise KeysLocked
        scheme, secret = self._keys[pubkey]
        return musig2.scheme(scheme).schnorr_sign(secret, digest)


class Signer:
    """Makes records by hand: it has a key, a peer, and the knowledge of the protocol."""

    def __init__(self, scheme: str = "lotus", peer: PeerIdentity | None = None) -> None:
        self.scheme = scheme
        self.secret = SecretKey.generate()
        self.identity = peer or PeerIdentity(secrets.token_bytes(32))

    @property
    def pubkey(self) -> bytes:
        return self.secret.pubkey

    def sign(self, digest: bytes) -> bytes:
        return musig2.scheme(self.scheme).schnorr_sign(self.secret, digest)

    def advertise(self, ts: int, **fields: Any) -> tuple[Signed[Advertisement], Signed[Entry]]:
        """An advertisement with its entry."""
        terms: dict[str, Any] = {
            "scheme": self.scheme,
            "pubkey": self.pubkey,
            "peer": self.identity.peer,
            "addrs": (from_text("/ip4/127.0.0.1/tcp/4001"),),
            "types": ("spend", "swap"),
            "ts": ts,
            "exp": ts + DAY_MS,
            "metadata": {"nickname": "Alice"},
        }
        record = Advertisement(**(terms | fields))
        signed = seal(record, self.sign, self.identity.sign)
        return signed, self.enter(signed)

    def enter(self, signed: Signed[Advertisement], **fields: Any) -> Signed[Entry]:
        """The entry of an advertisement."""
        record = signed.record
        said: dict[str, Any] = {
            "scheme": record.scheme,
            "pubkey": record.pubkey,
            "peer": record.peer,
            "types": record.types,
            "ts": record.ts,
            "exp": record.exp,
            "ad": signed.id,
        }
        return seal(Entry(**(said | fields)), self.sign)

    def withdraw(self, ts: int) -> Signed[Withdrawal]:
        return seal(Withdrawal(self.scheme, self.pubkey, ts), self.sign)


def push_of(*statements: tuple[Any, Any]) -> bytes:
    """The question that pushes these records; an entry may be None."""
    return encode_ask(Push(tuple((record.envelope, entry and entry.envelope) for record, entry in statements)))


class Daemon:
    """One discovery service with the parts that it needs."""

    def __init__(self, world: World, path: Path, seed: bytes, keys: KeyRing) -> None:
        self.world = world
        self.clock = world.clock
        self.path = path
        self.seed = seed
        self.keys = keys
        self.identity = PeerIdentity(seed)
        self.heard: list[Event] = []
        self.notices: list[Any] = []

    async def start(self) -> None:
        self.store = Store.open(self.path)
        self.events = EventLog(store=self.store, clock=self.clock)
        await self.events.start()
        self.events.subscribe(self.heard.extend)
        addrs = (from_text(f"/ip4/127.0.0.1/tcp/{4_000 + len(self.world.wire.nodes)}"),)
        self.net = MemoryNet(self.world.wire, self.identity.peer, addrs, self.clock.wall_ms)
        self.service = DiscoveryService(
            DiscoverySurroundings(
                store=self.store,
                events=self.events,
                clock=self.clock,
                keystore=self.keys,
                identity=self.identity,
                network=self.net,
                network_name="test",
                known_peers=KnownPeers(store=self.store, clock=self.clock),
                limits=self.world.limits,
                partners=keys_about_to_sign,
                bound=lambda token: token.startswith("tenant"),
                on_notice=self.notices.append,
            )
        )
        self.net.service = self.service
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()
        await self.store.close()
        self.net.service = None
        for peer in list(self.net.links):
            self.world.wire.cut(self.net, self.world.wire.nodes[peer])

    # The methods of the API, as a wallet calls them.

    async def advertise(self, pubkey: bytes, caller: Caller | None = None, **params: Any) -> answers.Advertised:
        criteria = params.pop("criteria", {"transactionTypes": ["spend", "swap"]})
        wire = {"publicKey": pubkey.hex(), "criteria": criteria, **params}
        return await self.service.methods.advertise_signer(caller or owner(), ads.AdvertiseSigner.model_validate(wire))

    async def withdraw(self, pubkey: bytes) -> answers.Withdrawn:
        params = ads.WithdrawAdvertisement.model_validate({"publicKey": pubkey.hex()})
        return await self.service.methods.withdraw_advertisement(owner(), params)

    async def find(self, caller: Caller | None = None, **params: Any) -> answers.FoundSigners:
        wanted = ads.FindAvailableSigners.model_validate(params)
        return await self.service.methods.find_available_signers(caller or owner(), wanted)

    async def found(self, **params: Any) -> set[str]:
        return {signer["publicKey"] for signer in (await self.find(maxResults=500, **params))["signers"]}

    async def follow(self, *types: str, token: str = OWNER) -> answers.FollowedTypes:
        """Follow a type as the owner or as a token; tokens named `tenant...` are bound to keys."""
        params = ads.SubscribeToSignerDiscovery.model_validate({"transactionTypes": list(types)})
        return await self.service.methods.subscribe_to_signer_discovery(replace(owner(), token_id=token), params)

    async def own(self) -> list[answers.Advertisement]:
        return (await self.service.methods.list_advertisements(owner(), NoParams()))["advertisements"]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [dict(heard.data) for heard in self.heard if heard.event == event]

    def lines(self, kind: int = 1) -> int:
        return self.store.read(
            lambda conn: conn.execute("SELECT count(*) FROM directory_log WHERE kind = ?", (kind,)).fetchone()[0]
        )

    def timestamps(self) -> list[int]:
        """The times of the advertisements in the directory: what to wait for when one replaces another."""
        query = "SELECT ts FROM directory_log WHERE kind = 1 ORDER BY ts"
        return self.store.read(lambda conn: [ts for (ts,) in conn.execute(query)])


class World:
    """Daemons that share a clock and a network."""

    def __init__(self, path: Path, limits: DiscoveryLimits | None = None) -> None:
        self.path = path
        self.clock = MovedClock()
        self.wire = Wire()
        self.limits = limits or DiscoveryLimits(sync_every_ms=3_600_000)
        self.daemons: list[Daemon] = []

    async def daemon(self, *links: Daemon, clock: MovedClock | None = None) -> Daemon:
        """A new daemon that dials the given ones; with a clock of its own if one is given."""
        path = self.path / f"daemon-{len(self.daemons)}.sqlite"
        daemon = Daemon(self, path, secrets.token_bytes(32), KeyRing())
        daemon.clock = clock or self.clock
        self.daemons.append(daemon)
        await daemon.start()
        for other in links:
            self.wire.link(daemon.net, other.net)
        return daemon

    async def again(self, daemon: Daemon, *links: Daemon) -> Daemon:
        """The same daemon after a restart."""
        await daemon.stop()
        twin = Daemon(self, daemon.path, daemon.seed, daemon.keys)
        twin.clock = daemon.clock
        self.daemons[self.daemons.index(daemon)] = twin
        await twin.start()
        for other in links:
            self.wire.link(twin.net, other.net)
        return twin


@asynccontextmanager
async def a_world(path: Path, limits: DiscoveryLimits | None = None) -> AsyncIterator[World]:
    """A world that is taken down at the end."""
    world = World(path, limits)
    try:
        yield world
    finally:
        for daemon in world.daemons:
            await daemon.stop()


async def until(condition: Callable[[], Any]) -> None:
    """Wait until the condition holds; fail after a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the condition spans several stores and tasks
            await asyncio.sleep(0.005)
