"""The DHT: the newest advertisement or withdrawal of a key under that key, and hints about who serves what."""

from __future__ import annotations

import logging
from hashlib import sha256

from libp2p.peer.id import ID
from libp2p.records.validator import Validator

from musig2.protocol.records.checks import is_ahead, newer
from musig2.protocol.records.records import Advertisement, Record, Withdrawal
from musig2.protocol.wire.frames import Signed
from p2p.compat.guard import OnFault
from p2p.compat.host import GuardedHost
from p2p.compat.kad import GuardedDHT, serving
from p2p.ports import Offence, Standing
from p2p.settings import NetworkConfig
from p2p.streams.gate import Checks
from p2p.streams.prices import Work

log = logging.getLogger(__name__)
MANY_PROVIDERS = 400  # the library counts repeated answers against what is asked for


class RecordRefused(ValueError):
    """A record that does not belong under its key, or fails one of the four checks."""


class SignerRecords(Validator):
    """Keys are `/<namespace>/<hex of the public key>`; values are envelopes of records of that key."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._gate = checks.gate

    def validate(self, key: str, value: bytes) -> None:
        """The four checks of a stored record. Raises RecordRefused; rubbish counts against the peer that sent it."""
        sender = serving.get()
        try:
            self._check(key, value, sender.to_bytes() if sender is not None else None)
        except RecordRefused as error:
            log.debug("a record from %s is not stored in the DHT: %s", sender or "the network", error)
            raise

    def _check(self, key: str, value: bytes, peer: bytes | None) -> None:
        signed = self._gate.envelope(peer, value)
        if signed is None or not isinstance(signed.record, Advertisement | Withdrawal):
            raise RecordRefused("not an advertisement or a withdrawal")
        if isinstance(signed.record, Advertisement) and not signed.record.types:
            raise RecordRefused("a delegation, which is shown and not published")
        if key.rpartition("/")[2] != signed.record.pubkey.hex():
            raise RecordRefused("a record of another key")
        if not self._checks.timely(len(value), signed.record, live=False):
            raise RecordRefused("too large, from the future, too old, or expired")
        if not self._gate.check_now(signed):
            if peer is not None:
                self._gate.fault(peer, Offence.BAD_SIGNATURE)
            raise RecordRefused("a bad signature")

    def select(self, key: str, values: list[bytes]) -> int:
        """The index of the newest record that is not from the future; of equal ones the last, for refreshing."""
        best, best_signed = 0, self._counting(values[0])
        for index, value in enumerate(values[1:], start=1):
            signed = self._counting(value)
            if _takes_the_place(signed, best_signed):
                best, best_signed = index, signed
        return best

    def _counting(self, value: bytes) -> Signed[Record] | None:
        """The record, unless it is malformed or from the future: it was stored while the clock was ahead."""
        signed = self._gate.envelope(None, value)
        if signed is None or not isinstance(signed.record, Advertisement | Withdrawal):
            return None
        ahead = is_ahead(signed.record.ts, self._checks.clock_ms(), self._checks.limits)
        return None if ahead else signed


def _takes_the_place(later: Signed[Record] | None, earlier: Signed[Record] | None) -> bool:
    if later is None or earlier is None:
        return later is not None
    return later.id == earlier.id or newer(later, earlier)


class Dht:
    """The DHT in terms of public keys and envelopes."""

    def __init__(self, host: GuardedHost, config: NetworkConfig, checks: Checks, on_fault: OnFault) -> None:
        accounts = checks.gate.accounts

        async def settle(peer: bytes, size: int) -> None:
            accounts.charge(peer, Work.DHT)
            accounts.charge(peer, Work.KIB, size / 1024)
            await accounts.settled(peer)

        def is_stranger(peer: ID) -> bool:
            return accounts.standing(peer.to_bytes()) is Standing.STRANGER

        def source_of(peer: ID) -> bytes | None:
            known = accounts.standing(peer.to_bytes()) is Standing.KNOWN
            return None if known else accounts.source(peer.to_bytes())

        self._namespace = f"musigd-{config.network}"
        self._validator = SignerRecords(checks)
        protocol = f"/musigd/{config.network}/kad/1"
        self.service = GuardedDHT(host, protocol, self._namespace, self._validator, settle, server=config.dht)
        self.service.on_fault = on_fault
        self.service.is_stranger = is_stranger
        self.service.source_of = source_of

    def _key(self, pubkey: bytes) -> str:
        return f"/{self._namespace}/{pubkey.hex()}"

    async def put(self, pubkey: bytes, envelope: bytes) -> bool:
        """Store here and at the closest peers; False: refused by the checks, older than what is there, or no taker."""
        key = self._key(pubkey)
        try:
            self._validator.validate(key, envelope)
        except RecordRefused:
            return False
        held = self.service.value_store.get(key.encode())
        if held is not None and self._validator.select(key, [held.value, envelope]) == 0:
            return False
        return await self.service.spread_value(key, envelope) > 0

    async def get(self, pubkey: bytes) -> bytes | None:
        """The newest valid envelope in the network; the own copy is compared but not taken instead of asking."""
        key = self._key(pubkey)
        found = await self.service.fresh_value(key)
        if found is None:
            return None
        try:
            self._validator.validate(key, found)
        except RecordRefused:
            return None
        return found

    async def provide(self, key: bytes) -> None:
        """Tell the closest peers that this node serves `key`."""
        await self.service.provider_store.provide(_provider_key(key))

    async def find_providers(self, key: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        """The peers that claim to serve `key`, each once; asks the network each time."""
        found: dict[bytes, tuple[bytes, ...]] = {}
        for info in await self.service.fresh_providers(_provider_key(key), MANY_PROVIDERS):
            found.setdefault(info.peer_id.to_bytes(), tuple(addr.to_bytes() for addr in info.addrs))
        return list(found.items())

    async def add_peer(self, peer: ID) -> None:
        """A peer was identified and serves the DHT of this network: it enters the routing table."""
        self.service.met(peer)
        await self.service.add_peer(peer, skip_server_mode_check=True)

    def remove_peer(self, peer: ID) -> None:
        """A peer is gone or banned."""
        self.service.routing_table.remove_peer(peer)

    def neighbours(self, count: int) -> list[ID]:
        """The peers of the routing table that are closest to this node: at these, lookups end."""
        table, own = self.service.routing_table, self.service.local_peer_id
        return list(table.find_local_closest_peers(own.to_bytes(), count))

    @property
    def protocol(self) -> str:
        """The protocol id under which this network's DHT is served."""
        return self.service.protocol

    @property
    def size(self) -> int:
        """Peers in the routing table."""
        return int(self.service.get_routing_table_size())


def _provider_key(key: bytes) -> bytes:
    """A sha2-256 multihash, which every implementation accepts, of the bytes that name a key."""
    return b"\x12\x20" + sha256(key).digest()
