"""What signing needs from the program around it: the network, discovery, the keystore, the store, the event log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from daemon.clock import Clock
from daemon.events import NewEvent, OnRecord
from daemon.policy.policy import OwnerPolicy
from daemon.signing.limits import SigningLimits
from musig2 import SecretKey
from musig2.protocol.records.records import Advertisement, Notice
from musig2.protocol.review.findings import Review
from musig2.protocol.wire.frames import Signed
from p2p.network import Offence, Standing, Work

T = TypeVar("T")
Route = tuple[bytes, tuple[bytes, ...]]  # a peer id and its binary multiaddrs


class SigningNetwork(Protocol):
    """The part of `p2p.network.Network` that signing uses."""

    @property
    def peer(self) -> bytes: ...

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        """Queue frames for one write; False when there is no connection, or too much is queued."""

    def send_optional(self, peer: bytes, frames: Sequence[bytes]) -> None:
        """Send frames that not every version knows, once the peer says that it takes them; else they are dropped."""

    def connected(self, peer: bytes) -> bool: ...

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool: ...

    def source_of(self, peer: bytes) -> bytes:
        """Where a peer comes from: what shares its turns, its room and its account. The peer itself if unknown."""

    def offend(self, peer: bytes, kind: Offence) -> None:
        """Count an offence of a peer."""

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> None:
        """Put work down to a peer's account."""

    def fine(self, peer: bytes, amount: float = 1) -> None:
        """A peer asked in vain: for what there is no room, or about what nobody knows."""

    def hurry(self) -> None:
        """A session is under way: strangers are served more slowly for a moment."""


class PeerStandings(Protocol):
    """How well peers are known; `daemon.peers.standings`."""

    def of(self, peer: bytes) -> Standing: ...

    def partner(self, peer: bytes) -> None:
        """A signature was made with a signer at that peer."""

    def party(self, request: bytes, peers: Iterable[bytes]) -> None:
        """An own key takes part in that request, as do these peers."""

    def over(self, request: bytes) -> None:
        """That request has ended."""


class SignerDirectory(Protocol):
    """Which peers act for a key, and how a notice is published."""

    def peers_of(self, pubkey: bytes) -> Sequence[Route]:
        """Peers with a valid delegation of that key, as the local directory knows them."""

    async def resolve(self, pubkey: bytes) -> Sequence[Route]:
        """The same after asking the network."""

    def schemes_of(self, pubkey: bytes) -> frozenset[str]:
        """The schemes under which a key is advertised, as the local directory knows them."""

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        """Where the local directory says that a peer can be dialled."""

    def delegation_of(self, pubkey: bytes) -> bytes | None:
        """An advertisement envelope of an own key that names this peer, published or not; None without the key."""

    def own_advertisement(self, pubkey: bytes) -> Advertisement | None:
        """What an own key advertises at present; on any thread."""

    def standing_of(self, conn: sqlite3.Connection, pubkey: bytes) -> tuple[bool, int | None]:
        """Whether a key is pinned, a contact or a former co-signer, and its local reputation; on any thread."""

    def record_outcome(self, pubkey: bytes, outcome: str, response_ms: int | None = None) -> None:
        """Counts towards the local reputation of a signer: `completed`, `failed`, `aborted`; how long it took."""

    def publish_notice(self, signed: Signed[Notice]) -> Coroutine[Any, Any, None]: ...


class SigningKeystore(Protocol):
    """Own keys. `get` and `sign` raise the errors of `daemon.keys.errors`."""

    def get(self, pubkey: bytes) -> SecretKey: ...

    def scheme_of(self, pubkey: bytes) -> str: ...

    def keys(self) -> Sequence[bytes]: ...

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes: ...

    async def pause(self, pubkey: bytes, reason: str | None = None) -> object: ...


class Identity(Protocol):
    """This daemon's peer identity."""

    @property
    def peer(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


class SigningStore(Protocol):
    """One writer with group commit, readers beside it."""

    async def write(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...

    def query(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...

    async def read_slow(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...


class SessionEvents(Protocol):
    """The stored event log: append inside a transaction, publish after it."""

    def append(
        self,
        conn: sqlite3.Connection,
        name: str,
        data: Mapping[str, Any],
        *,
        keys: Sequence[bytes],
        request_id: bytes | None = None,
        session_id: bytes | None = None,
        attempt: int | None = None,
        on_record: bool = True,
    ) -> object: ...

    def append_all(self, conn: sqlite3.Connection, told: Sequence[NewEvent | OnRecord]) -> int: ...

    def publish(self, upto: int | None = None) -> None: ...


class Policy(Protocol):
    """Refuses what no rule can allow: raises an error of `daemon.policy`, or another Refused."""

    def check_join(self, review: Review, pubkey: bytes, *, require_checked: bool = False) -> None: ...


class CrashPoints(Protocol):
    """Tests stop the process at named points; everybody else passes `NO_CRASH_POINTS`."""

    def reached(self, point: str, kinds: frozenset[str]) -> None:
        """`point`: before_save, after_save, before_send, after_send, after_tell; `kinds`: what the turn holds."""


class _NoCrashPoints:
    def reached(self, point: str, kinds: frozenset[str]) -> None:
        """Does nothing."""


NO_CRASH_POINTS: CrashPoints = _NoCrashPoints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What signing needs from the daemon; the composition root fills it in."""

    store: SigningStore
    events: SessionEvents
    keystore: SigningKeystore
    identity: Identity
    network: SigningNetwork
    discovery: SignerDirectory
    clock: Clock
    policy: Policy
    addrs: Callable[[], tuple[bytes, ...]]  # the binary multiaddrs of this daemon right now, for its joins
    standings: PeerStandings
    rules: OwnerPolicy | None = None
    label_of: Callable[[str], str] = str  # what a token is called, by its id
    limits: SigningLimits = field(default_factory=SigningLimits)
    crash_points: CrashPoints = NO_CRASH_POINTS
    network_name: str = "main"  # whose addresses are shown
    clock_is_wrong: Callable[[], bool] = lambda: False  # as peers say
    shows_considering: bool = True  # co-signers hear that a request waits for its owner
