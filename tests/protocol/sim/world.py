"""A request, its signers, and the network between them, in one line."""

from __future__ import annotations

import random
from collections.abc import Sequence

from musig2 import SecretKey, scheme
from musig2.protocol.interface.inputs import Approved
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Election, Request
from musig2.protocol.records.requests import ToSign, build_request
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.wire.frames import Signed
from tests.protocol.sim.clock import EPOCH_MS, Clock
from tests.protocol.sim.network import Network, Weather
from tests.protocol.sim.node import Node

TTL_MS = 120_000
ROUND_MS = 20_000


def secret(number: int) -> SecretKey:
    """A key that is the same in every run: tests only."""
    return SecretKey.from_buffer(bytearray(number.to_bytes(32, "big")))


class World:
    """n signers, one key each unless `grouping` says how many keys each node holds."""

    def __init__(
        self,
        n: int = 2,
        *,
        scheme_name: str = "lotus",
        items: int = 1,
        seed: int = 1,
        weather: Weather | None = None,
        grouping: Sequence[int] | None = None,
        election: Election | None = None,
        max_attempts: int = 5,
        salt: bytes = bytes(16),
        node: type[Node] = Node,
        odd: dict[int, type[Node]] | None = None,
        mesh: int = MESH,
    ) -> None:
        """`odd`: nodes (by number) of another class than `node`; `mesh`: above so many signers they meet at hubs."""
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.network = Network(self.clock, self.rng, weather or Weather())
        secrets = [secret(1_000 * seed + number + 1) for number in range(n)]
        secrets.sort(key=lambda key: key.pubkey)
        self.request = sealed_request(
            secrets, scheme_name=scheme_name, items=items, election=election, max_attempts=max_attempts, salt=salt
        )
        self.keys = self.request.record.keys
        self.nodes: list[Node] = []
        first = 0
        for number, size in enumerate(grouping or [1] * n):
            kind = (odd or {}).get(number, node)
            held = secrets[first : first + size]
            self.nodes.append(kind(self.clock, self.network, self.request, held, 10_000 * seed + number + 1, mesh))
            first += size
        self.peer_of = {key: node.peer for node in self.nodes for key in node.own}
        for one in self.nodes:
            one.routes = {i: self.peer_of[k] for i, k in enumerate(self.keys) if k not in one.own}

    def start(self) -> None:
        """Every node comes up and knows the request."""
        for node in self.nodes:
            node.start()

    def start_apart(self) -> None:
        """The same, but no node reaches another: a test carries the messages by hand."""
        self.start()
        for node in self.nodes:
            self.network.split({node.peer})

    def approve(self, *, auto: bool = True) -> None:
        """Every owner approves, one after the other."""
        for node in self.nodes:
            for key in sorted(node.own):
                node.feed(Approved(key, auto))

    def run(self, duration_ms: int = TTL_MS + 2 * ROUND_MS) -> None:
        """Run the clock until then."""
        self.clock.run(self.clock.mono_ms + duration_ms)

    def sign(self) -> World:
        """From nothing to the end of the request."""
        self.start()
        self.approve()
        self.run()
        return self


def sealed_request(
    secrets: Sequence[SecretKey],
    *,
    scheme_name: str = "lotus",
    items: int = 1,
    election: Election | None = None,
    max_attempts: int = 5,
    salt: bytes = bytes(16),
) -> Signed[Request]:
    """A request of these keys, created by the first."""
    record = build_request(
        scheme_name=scheme_name,
        pubkeys=[key.pubkey for key in secrets],
        to_sign=[ToSign(bytes([number]) * 32) for number in range(items)],
        creator=secrets[0].pubkey,
        created=EPOCH_MS,
        expires=EPOCH_MS + TTL_MS,
        round_ms=ROUND_MS,
        max_attempts=max_attempts,
        salt=salt,
        election=election,
        metadata={},
    )
    return seal(record, lambda digest: scheme(scheme_name).schnorr_sign(secrets[0], digest))
