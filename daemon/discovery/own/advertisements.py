"""Own advertisements: made, countersigned, published, withdrawn.

The timestamps of a key's statements rise, ts = max(now, last + 1), and `last` is stored: whatever the clock does, a
later statement wins everywhere (`times.py`: what happens to a `last` in the future). The record, the line of the log
and the event are written in one transaction; only then is it published.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from daemon.clock import Clock
from daemon.discovery.directory.statements import Statement
from daemon.discovery.errors import AdvertisedTooSoon, AdvertisementTooLarge, NeverAdvertised, UnfitTerms
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.intake.views import full_view, view_of
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.own import rows as own_rows
from daemon.discovery.own.publish import Published, Publisher
from daemon.discovery.own.rows import AdvertisedTerms, OwnRow
from daemon.discovery.own.times import next_ts
from daemon.discovery.ports import AdvertisedKeys, DirectoryEvents, DirectoryNetwork, Identity
from daemon.store import Store
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.open_maps import open_from_json
from musig2.protocol.records.records import Advertisement, Entry, Withdrawal
from musig2.protocol.wire.frames import Signed
from p2p.addresses import from_text
from rpc import answers

AlsoView: TypeAlias = Callable[[sqlite3.Connection, answers.Advertisement], None]

MAX_ADDRS = 16
DELEGATION_SPARE_MS = 60_000  # a delegation that expires sooner is replaced


class OwnAdvertisements:
    """The advertisements of this daemon's keys; belongs to the event loop."""

    def __init__(
        self,
        *,
        store: Store,
        events: DirectoryEvents,
        clock: Clock,
        limits: DiscoveryLimits,
        keys: AdvertisedKeys,
        identity: Identity,
        net: DirectoryNetwork,
        ingest: Ingest,
        publisher: Publisher,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._limits = limits
        self._keys = keys
        self._identity = identity
        self._net = net
        self._ingest = ingest
        self._publisher = publisher
        self._rows: dict[bytes, OwnRow] = {}
        self._published_mono_ms: dict[bytes, int] = {}
        self._changing: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    def load(self) -> None:
        """Load what was advertised before the last stop."""
        self._rows = self._store.read(own_rows.load)

    def rows(self) -> list[OwnRow]:
        """All keys that were ever advertised, withdrawn ones included."""
        return list(self._rows.values())

    def row(self, pubkey: bytes) -> OwnRow | None:
        """What is known of one key."""
        return self._rows.get(pubkey)

    def addrs(self) -> tuple[bytes, ...]:
        """Where this daemon can be dialled, as it writes it into its records."""
        return tuple(from_text(text) for text in self._net.multiaddrs())[:MAX_ADDRS]

    async def advertise(
        self, pubkey: bytes, terms: AdvertisedTerms, also: AlsoView = lambda conn, view: None
    ) -> tuple[answers.Advertisement, Published]:
        """Publish an advertisement; returns its view and how far it got. Raises a DiscoveryRefusal.

        `also(conn, view)` runs in the transaction that stores it.
        """
        async with self._changing[pubkey]:
            self._refuse_haste(pubkey)
            statement, view = await self._make(pubkey, terms, also)
        return view, await self._publisher.publish(statement, statement_types(statement))

    async def renew(self, pubkey: bytes) -> Published:
        """Publish again with the same terms. Raises as `advertise` does, but has no rate limit."""
        async with self._changing[pubkey]:
            row = self._rows[pubkey]
            if row.withdrawn:
                return Published()
            statement, _ = await self._make(pubkey, row.terms)
        return await self._publisher.publish(statement, row.types)

    async def withdraw(self, pubkey: bytes, *, again: bool = False) -> None:
        """Withdraw an advertisement; `again`: even if it is withdrawn already. Raises NeverAdvertised, KeyRefused."""
        async with self._changing[pubkey]:
            row = self._rows.get(pubkey)
            if row is None:
                raise NeverAdvertised
            if row.withdrawn and not again:
                return
            withdrawal = Withdrawal(row.scheme, pubkey, self._next_ts(row))
            signed = seal(withdrawal, lambda digest: self._keys.sign(pubkey, digest, even_paused=True))
            last_ts = max(withdrawal.ts, row.last_ts)
            after = replace(row, last_ts=last_ts, record=signed, withdrawn=True, warned=False)
            event = None if row.withdrawn else "signer:withdrawn"
            await self._commit(after, Statement(signed), event, {"publicKey": pubkey.hex()})
        await self._publisher.publish(Statement(signed), row.types)

    async def warn(self, row: OwnRow) -> None:
        """Append once the event that an advertisement will expire because it cannot be renewed."""
        after = replace(row, warned=True)

        def write(conn: sqlite3.Connection) -> None:
            own_rows.save(conn, after)
            self._events.append(
                conn, "signer:expiring", {"publicKey": row.pubkey.hex(), "expiresAt": row.exp}, keys=[row.pubkey]
            )

        await self._store.write(write)
        self._rows[row.pubkey] = after
        self._events.publish()

    def statement(self, pubkey: bytes) -> Statement | None:
        """The advertisement or withdrawal in force, to store it in the DHT again."""
        row = self._rows.get(pubkey)
        if row is None or not isinstance(row.record.record, Advertisement | Withdrawal):
            return None
        return Statement(Signed(row.record.record, row.record.id, row.record.envelope))

    def delegation(self, pubkey: bytes) -> bytes:
        """An envelope by which this key names this peer: the advertisement in force, or one made for this purpose.

        The latter names no types, so no directory stores it. Raises KeyRefused.
        """
        now_ms = self._clock.wall_ms()
        row = self._rows.get(pubkey)
        current = row.advertisement if row else None
        if current and current.record.peer == self._identity.peer and current.record.exp > now_ms + DELEGATION_SPARE_MS:
            return current.envelope
        terms = AdvertisedTerms({"transactionTypes": []}, {}, self._limits.ttl_ms)
        return self._seal_advertisement(pubkey, terms, now_ms).envelope

    def _refuse_haste(self, pubkey: bytes) -> None:
        last = self._published_mono_ms.get(pubkey)
        if last is None:
            row = self._rows.get(pubkey)
            waited = self._clock.wall_ms() - row.last_ts if row and not row.withdrawn else self._limits.interval_ms
            waited = waited if waited >= 0 else self._limits.interval_ms  # the clock was set back
        else:
            waited = self._clock.mono_ms() - last
        retry_ms = self._limits.interval_ms - waited
        if retry_ms > 0:
            raise AdvertisedTooSoon(retry_ms)

    async def _make(
        self, pubkey: bytes, terms: AdvertisedTerms, also: AlsoView = lambda conn, view: None
    ) -> tuple[Statement, answers.Advertisement]:
        signed = self._seal_advertisement(pubkey, terms, self._next_ts(self._rows.get(pubkey)))
        record = signed.record
        entry = Entry(record.scheme, pubkey, record.peer, record.types, record.ts, record.exp, signed.id)
        statement = Statement(signed, seal(entry, lambda digest: self._keys.sign(pubkey, digest)))
        view = full_view(view_of(signed), signed.envelope, own=True, reputation=None)
        before = self._rows.get(pubkey)
        last_ts = max(record.ts, before.last_ts if before else 0)
        row = OwnRow(pubkey, record.scheme, terms, last_ts, record.exp, signed, withdrawn=False)
        await self._commit(row, statement, "signer:advertised", {"advertisement": view}, lambda conn: also(conn, view))
        self._published_mono_ms[pubkey] = self._clock.mono_ms()
        return statement, view

    def _seal_advertisement(self, pubkey: bytes, terms: AdvertisedTerms, ts: int) -> Signed[Advertisement]:
        record = self._record(pubkey, terms, ts)
        try:
            signed = seal(record, lambda digest: self._keys.sign(pubkey, digest), self._identity.sign)
        except InvalidRecord as error:
            raise UnfitTerms(str(error)) from error
        most = self._limits.checks.advertisement_bytes
        if len(signed.envelope) > most:
            raise AdvertisementTooLarge(most)
        return signed

    def _record(self, pubkey: bytes, terms: AdvertisedTerms, ts: int) -> Advertisement:
        criteria = terms.criteria
        try:
            trust = open_from_json(criteria.get("trustRequirements", {}), "trustRequirements")
            metadata = open_from_json(terms.metadata)
        except InvalidRecord as error:
            raise UnfitTerms(str(error)) from error
        return Advertisement(
            scheme=self._keys.scheme_of(pubkey),
            pubkey=pubkey,
            peer=self._identity.peer,
            addrs=self.addrs(),
            types=tuple(sorted(set(criteria["transactionTypes"]))),
            ts=ts,
            exp=ts + min(terms.ttl_ms, self._limits.checks.max_ttl_ms),
            min=criteria.get("minAmount"),
            max=criteria.get("maxAmount"),
            trust=trust,
            metadata=metadata,
        )

    async def _commit(
        self,
        row: OwnRow,
        statement: Statement,
        event: str | None,
        data: Mapping[str, object],
        also: Callable[[sqlite3.Connection], None] = lambda conn: None,
    ) -> None:
        def write(conn: sqlite3.Connection) -> None:
            own_rows.save(conn, row)
            if event is not None:
                self._events.append(conn, event, data, keys=[row.pubkey])
            also(conn)

        await self._ingest.keep_own(statement, write)
        self._rows[row.pubkey] = row

    def _next_ts(self, row: OwnRow | None) -> int:
        return next_ts(self._clock.wall_ms(), (row.ts, row.last_ts) if row else (), self._limits.checks)


def statement_types(statement: Statement) -> tuple[str, ...]:
    """The types of an advertisement; none for other records."""
    record = statement.record.record
    return record.types if isinstance(record, Advertisement) else ()
