"""Names relays to the network while it lacks some: peers whose node records say that they are relays."""

from __future__ import annotations

import asyncio
import sqlite3

from daemon.clock import Clock
from daemon.discovery.directory.reads import some_nodes
from daemon.discovery.own.node_record import RELAY
from daemon.discovery.peers.lookup import Route
from daemon.discovery.ports import DirectoryNetwork, Identity
from daemon.store import Store
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Node
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES

LOOK_S = 10.0
LOOKED_AT = 512  # node records, picked at random
OFFERED = 16


class KnownRelays:
    """Looks for relays in one task."""

    def __init__(self, *, net: DirectoryNetwork, clock: Clock, store: Store, identity: Identity) -> None:
        self._net = net
        self._clock = clock
        self._store = store
        self._identity = identity

    async def run(self) -> None:
        """Look for relays whenever the network lacks some, for as long as the daemon runs."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._net.reachability.lacking:
                self._net.offer_relays(self._some())

    def _some(self) -> list[Route]:
        def read(conn: sqlite3.Connection) -> list[bytes]:
            return some_nodes(conn, self._clock.wall_ms(), LOOKED_AT)

        found: list[Route] = []
        for envelope in self._store.read(read):
            record = open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES).record
            if isinstance(record, Node) and RELAY in record.roles and record.peer != self._identity.peer:
                found.append((record.peer, record.addrs))
        return found[:OFFERED]
