"""The tables in docs/security.md say what the code does."""

from __future__ import annotations

import pytest

from daemon.discovery.intake.take_in import ROOM, ROOM_OF_ONE
from daemon.discovery.limits import DiscoveryLimits
from daemon.events import MOST_BYTES
from daemon.peers.bans import MOST as BANS
from daemon.peers.contacts import MOST as CONTACTS
from daemon.peers.standings import PARTNERS
from daemon.signing.engine.rooms import SHARES
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.notices import ASKED_AT_ONCE, ASKERS
from daemon.webhooks.hooks import MOST as WEBHOOKS
from p2p.compat.host import STREAM_RATE
from p2p.compat.kad import MAX_PROVIDER_KEYS, MAX_VALUES, SERVED_PEERS
from p2p.compat.peerstore import MAX_PEERS
from p2p.compat.pubsub import MAX_SEEN
from p2p.compat.yamux import MAX_INBOUND_STREAMS
from p2p.dialback.server import ALL, ALL_AT_ONCE, RANGE_AT_ONCE
from p2p.door import MOST_WAITING
from p2p.hearsay import AT_ONCE
from p2p.hearsay import REMEMBERED as TARGETS
from p2p.node.gossip import RECENT
from p2p.ports import Standing
from p2p.relay.open_circuits import PER_PEER as CIRCUITS
from p2p.relay.reservations import PER_RANGE
from p2p.settings import NetworkConfig
from p2p.streams.accounts import REMEMBERED as ACCOUNTS
from p2p.streams.gate import KNOWN_GOOD, MAX_COUNTED_PEERS
from rpc.config import RpcConfig
from rpc.server.listen import MOST_STRANGERS, QUEUE
from tests.project.pages.prices_page import PAGE, written

SIGNING, DISCOVERY, NETWORK = SigningLimits(), DiscoveryLimits(), NetworkConfig()
BOUNDS: dict[str, tuple[float, ...]] = {  # first cell of a row: the numbers in its second
    "inbound connections": (NETWORK.max_connections, NETWORK.max_connections - NETWORK.max_connections // 4),
    "handshakes": (MOST_WAITING,),
    "streams of a connection": (MAX_INBOUND_STREAMS, STREAM_RATE),
    "frames that wait for own sessions": (SIGNING.inbox_per_peer,),
    "frames that strangers wait with": (SIGNING.inbox, SIGNING.inbox_per_peer),
    "requests of many keys to check": (SIGNING.checks, SIGNING.checks_per_party),
    "requests that nobody asked for": (
        SIGNING.unsolicited_total,
        SIGNING.unsolicited_per_peer,
        SHARES[Standing.STRANGER] * SIGNING.unsolicited_total,
    ),
    "messages before their request": (SIGNING.unknown_peers, SIGNING.unknown_per_peer),
    "notices that name an own key": (ASKED_AT_ONCE, ASKERS),
    "dials by hearsay": (AT_ONCE, TARGETS),
    "records from topics": (ROOM, ROOM_OF_ONE),
    "advertisements, nodes, notices": (DISCOVERY.advertisements, DISCOVERY.nodes, DISCOVERY.notices),
    "halves of statements": (DISCOVERY.halves, DISCOVERY.halves_per_peer),
    "the DHT of all peers": (SERVED_PEERS, MAX_VALUES, MAX_PROVIDER_KEYS),
    "dials back of strangers (AutoNAT)": (ALL_AT_ONCE, ALL, RANGE_AT_ONCE),
    "peers in the address book": (MAX_PEERS,),
    "bans": (BANS,),
    "partners": (PARTNERS,),
    "ended requests that no own key joined": (SIGNING.ended_unsolicited,),
    "reservations of a relay": (NETWORK.relay_reservations, PER_RANGE),
    "circuits of a relay": (NETWORK.relay_circuits, CIRCUITS),
    "connections of clients": (RpcConfig().max_connections, MOST_STRANGERS, QUEUE),
    "webhooks, contacts, pending approvals": (WEBHOOKS, CONTACTS),
    "messages and records seen on topics": (MAX_SEEN, RECENT),
    "accounts, faults, envelopes that were good": (ACCOUNTS, MAX_COUNTED_PEERS, KNOWN_GOOD),
}


def bound(row: str) -> str:
    """The second cell of the row of that name."""
    found = [line.split("|")[2] for line in PAGE.read_text().splitlines() if line.startswith(f"| {row} |")]
    assert len(found) == 1, f"{row} has {len(found)} rows in docs/security.md"
    return found[0]


def test_the_tables_of_work_are_what_the_code_charges() -> None:
    text = PAGE.read_text()
    assert text == written(text), "run python -m tests.project.pages.prices_page"


@pytest.mark.parametrize("row", BOUNDS)
def test_each_bound_is_named_with_the_numbers_that_hold(row: str) -> None:
    cell = bound(row)
    missing = [number for number in BOUNDS[row] if f"{int(number):,}" not in cell]
    assert not missing, f"{row}: {missing} are not in the page"


def test_the_event_log_is_named_with_what_it_holds() -> None:
    assert f"{MOST_BYTES // 1024**3} GiB" in bound("the event log")
