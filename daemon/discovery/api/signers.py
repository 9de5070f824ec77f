"""What the rest of the daemon asks of discovery: where a key can be reached, what it advertises, its reputation."""

from __future__ import annotations

import sqlite3

from daemon.clock import Clock
from daemon.discovery.directory import reputation
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.directory.reputation import SessionOutcome
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.publish import Publisher
from daemon.discovery.peers.lookup import Lookup, Route
from daemon.discovery.peers.outcomes import Observations
from daemon.keys.errors import KeyRefused
from daemon.peers.contacts import is_contact
from musig2.protocol.records.records import Advertisement, Notice
from musig2.protocol.wire.frames import Signed
from p2p.network import Standing

ESTABLISHED_MS = 3_600_000  # an advertisement that was here so long is no identity of this moment


class KnownSigners:
    """Signing's view of the directory. For the event loop, except where a method says "any thread"."""

    def __init__(
        self,
        *,
        reads: DirectoryReads,
        lookup: Lookup,
        own: OwnAdvertisements,
        observations: Observations,
        ingest: Ingest,
        publisher: Publisher,
        clock: Clock,
        pinned: frozenset[bytes],
    ) -> None:
        """`pinned`: the keys that the operator named."""
        self._pinned = pinned
        self._own = own
        self._observations = observations
        self._ingest = ingest
        self._publisher = publisher
        self._reads = reads
        self._clock = clock
        self._lookup = lookup

    def peers_of(self, pubkey: bytes) -> list[Route]:
        """Peers with an advertisement of this key, as (peer, addresses), from the directory."""
        return self._lookup.peers_of(pubkey)

    async def resolve(self, pubkey: bytes) -> list[Route]:
        """The same after asking the DHT and the peers."""
        return await self._lookup.resolve(pubkey)

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        """The addresses of a peer as the directory knows them: at most 16 binary multiaddrs."""
        return self._reads.addresses_of(peer)

    def keys_of_peer(self, peer: bytes) -> list[bytes]:
        """The keys that are advertised at a peer."""
        return self._reads.keys_of_peer(peer)

    def schemes_of(self, pubkey: bytes) -> frozenset[str]:
        """The schemes under which this key is advertised: one, unless its owner uses it under both."""
        return frozenset(record.scheme for record in self._reads.advertisements_of(pubkey))

    def score_of(self, pubkey: bytes) -> int | None:
        """What this daemon saw of a signer, 0 to 100; None without evidence."""
        return self._reads.score_of(pubkey, self._clock.wall_ms())

    def delegation_of(self, pubkey: bytes) -> bytes | None:
        """An envelope by which an own key names this peer; None when the key is locked, paused or not here."""
        try:
            return self._own.delegation(pubkey)
        except KeyRefused:
            return None

    def own_advertisement(self, pubkey: bytes) -> Advertisement | None:
        """What an own key advertises; None when it does not, or has expired. On any thread."""
        row = self._own.row(pubkey)
        signed = None if row is None else row.advertisement
        return signed.record if signed is not None and signed.record.exp > self._clock.wall_ms() else None

    def standing_of(self, conn: sqlite3.Connection, pubkey: bytes) -> tuple[bool, int | None]:
        """Whether a key is pinned, a contact or a former co-signer, and its local reputation; on any thread."""
        seen = reputation.of_key(conn, pubkey, self._clock.wall_ms())
        known = pubkey in self._pinned or (seen is not None and seen.completed > 0) or is_contact(conn, pubkey)
        return known, None if seen is None else seen.score

    def standing_of_peer(self, peer: bytes) -> Standing:
        """How well a peer is known by the advertisements that it countersigned."""
        known, since_ms = self._reads.advertised_at(peer, lambda conn, key: self.standing_of(conn, key)[0])
        if known:
            return Standing.KNOWN
        held = since_ms is not None and since_ms <= self._clock.wall_ms() - ESTABLISHED_MS
        return Standing.ESTABLISHED if held else Standing.STRANGER

    def record_outcome(self, pubkey: bytes, outcome: str, response_ms: int | None = None) -> None:
        """A session with this signer ended: `completed`, `failed` (with a proof against it) or `aborted`."""
        self._observations.note(pubkey, SessionOutcome(outcome), response_ms)

    async def publish_notice(self, signed: Signed[Notice]) -> None:
        """Store an own notice and tell the network."""
        statement = Statement(signed)
        await self._ingest.keep_own(statement, lambda _: None)
        await self._publisher.publish(statement)
