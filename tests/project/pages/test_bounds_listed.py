"""Every bound in the tree is either in the table of what peers can fill together, or known to concern one of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.project.pages.test_security_page import BOUNDS, bound

PROJECT = Path(__file__).parents[3]
BOUND = re.compile(r"_?(MOST|MAX|REMEMBERED|KNOWN_GOOD|RECENT|QUEUE|PARTNERS|ROOM|ASKERS|SERVED)(?!.*_M?S$)")
SHARED = {  # the constant: the row of "What is full, and for whom" in docs/security.md
    "p2p/door.py:MOST_WAITING": "handshakes",
    "p2p/door.py:REMEMBERED": "handshakes",
    "p2p/compat/yamux.py:MOST_TOGETHER": "what strangers send and do not read",
    "p2p/streams/links.py:MOST_UNREAD": "what strangers send and do not read",
    "p2p/compat/kad.py:MAX_PROVIDER_KEYS": "the DHT of all peers",
    "p2p/compat/kad.py:MAX_VALUES": "the DHT of all peers",
    "p2p/compat/kad.py:SERVED_PEERS": "the DHT of all peers",
    "p2p/compat/peerstore.py:MAX_PEERS": "peers in the address book",
    "p2p/compat/pubsub.py:MAX_SEEN": "messages and records seen on topics",
    "p2p/node/gossip.py:RECENT": "messages and records seen on topics",
    "p2p/hearsay.py:REMEMBERED": "dials by hearsay",
    "p2p/rates.py:REMEMBERED": "accounts, faults, envelopes that were good",
    "p2p/streams/accounts.py:REMEMBERED": "accounts, faults, envelopes that were good",
    "p2p/streams/gate.py:KNOWN_GOOD": "accounts, faults, envelopes that were good",
    "p2p/streams/gate.py:MAX_COUNTED_PEERS": "accounts, faults, envelopes that were good",
    "p2p/bans.py:MOST": "bans",
    "daemon/peers/bans.py:MOST": "bans",
    "daemon/peers/standings.py:PARTNERS": "partners",
    "daemon/peers/contacts.py:MOST": "webhooks, contacts, pending approvals",
    "daemon/webhooks/hooks.py:MOST": "webhooks, contacts, pending approvals",
    "daemon/events.py:MOST_BYTES": "the event log",
    "daemon/discovery/intake/checks.py:REMEMBERED": "messages and records seen on topics",
    "daemon/discovery/intake/events.py:REMEMBERED": "advertisements, nodes, notices",
    "daemon/discovery/intake/take_in.py:ROOM": "records from topics",
    "daemon/discovery/intake/take_in.py:ROOM_OF_ONE": "records from topics",
    "daemon/signing/peers/notices.py:ASKERS": "notices that name an own key",
    "p2p/port_mapping/natpmp/gateway.py:MOST_DATAGRAMS": "what a router sends, where `p2p.port_mapping` is set",
    "p2p/port_mapping/upnp/http.py:MOST_BYTES": "what a router sends, where `p2p.port_mapping` is set",
    "p2p/port_mapping/upnp/search.py:MOST_ANSWERS": "what a router sends, where `p2p.port_mapping` is set",
    "p2p/port_mapping/upnp/elements.py:MOST_ELEMENTS": "what a router sends, where `p2p.port_mapping` is set",
}
OF_ONE = {  # one message, one peer, one connection, one request, or something that peers do not fill
    "p2p/addresses.py:MAX_ADDR_BYTES",
    "p2p/port_mapping/upnp/elements.py:MOST_DEPTH",
    "p2p/ways/dialler.py:MOST_REFUSED",  # what the own proxy said; the latest are kept
    "p2p/port_mapping/upnp/gateway.py:MOST_SERVICES",
    "p2p/port_mapping/natpmp/messages.py:MOST_BYTES",
    "p2p/port_mapping/upnp/search.py:MOST_BYTES",
    "p2p/port_mapping/upnp/search.py:MOST_PLACES",
    "p2p/announce.py:MAX_ANNOUNCED",
    "p2p/announce.py:MAX_RELAYED",
    "p2p/relay/client.py:MAX_ADDRS",
    "p2p/relay/client.py:MAX_OFFERED",  # relays that this node may ask; the latest are kept
    "p2p/relay/service.py:MAX_NAMED",
    "p2p/compat/kad.py:MAX_KEY_BYTES",
    "p2p/compat/kad.py:MAX_MESSAGE_BYTES",
    "p2p/compat/kad.py:MAX_PROVIDER_ADDRS",
    "p2p/compat/kad.py:MAX_VALUE_BYTES",
    "p2p/compat/kad_host.py:REMEMBERED",  # peers that this node has asked
    "daemon/discovery/directory/reads.py:MOST_RECENT",  # keys that own requests name; looked up again after 50 ms
    "daemon/policy/rulings.py:MOST",  # requests whose rulings are kept; the others are judged anew
    "p2p/compat/upgrade.py:MAX_MESSAGE_BYTES",
    "p2p/compat/upgrade.py:MAX_PROPOSALS",
    "p2p/compat/peerstore.py:MAX_ADDRS_PER_PEER",
    "p2p/compat/peerstore.py:MAX_PROTOCOLS_PER_PEER",
    "p2p/compat/peerstore.py:MAX_PROTOCOL_CHARS",
    "p2p/compat/peerstore.py:MAX_RECORD_BYTES",
    "p2p/compat/peerstore.py:MAX_VOUCHED",
    "p2p/compat/pubsub.py:MAX_CONTROL",
    "p2p/compat/pubsub.py:MAX_IDS",
    "p2p/compat/pubsub.py:MAX_MESSAGES_PER_RPC",
    "p2p/compat/pubsub.py:MAX_TOPIC_CHARS",
    "p2p/compat/pubsub.py:QUEUE",
    "p2p/compat/swarm.py:MAX_ADDRS",
    "p2p/compat/swarm.py:MAX_RELAYED",
    "p2p/compat/yamux.py:MAX_BUFFERED",
    "p2p/compat/yamux.py:MAX_INBOUND_STREAMS",
    "p2p/compat/yamux.py:MAX_OF_STRANGER",
    "p2p/compat/yamux.py:MAX_QUEUED",
    "p2p/compat/yamux_stream.py:MAX_CHUNK",
    "p2p/dialback/reachability.py:MOST_ASKED",
    "p2p/dialback/server.py:MOST_DIALLED",
    "p2p/ways/dnsaddr.py:MOST_ASKED",
    "p2p/ways/dnsaddr.py:MOST_FOUND",
    "p2p/relay/upgrade.py:MOST_DIALLED",
    "p2p/node/bootstrap.py:REMEMBERED",  # addresses that have worked
    "p2p/node/named.py:MOST",  # peers that the owner named by calls
    "p2p/node/mdns.py:MAX_FOUND",  # neighbours on the same wire
    "daemon/discovery/api/follows.py:MOST_TYPES",
    "daemon/discovery/own/advertisements.py:MAX_ADDRS",
    "daemon/discovery/peers/clocks.py:REMEMBERED",  # the latest peers that said what time it is
    "daemon/discovery/peers/connector.py:MOST_DIALLED",
    "daemon/discovery/sync/answers.py:MOST_IDS",
    "daemon/discovery/sync/answers.py:MOST_NODES",
    "daemon/discovery/sync/rounds.py:REMEMBERED",  # peers that were synchronised with
    "daemon/events.py:MOST_FRESH",  # events that are about to be published
    "daemon/keys/export.py:_MOST",
    "daemon/policy/members.py:_MOST",
    "daemon/signing/peers/request_checks.py:MOST_EARLY",
    "daemon/webhooks/hooks.py:MOST_OF_ONE",
    "daemon/signing/owner/grounds.py:MOST_CONDITIONS",  # of one line: conditions of the owner's rules
}


def bounds_in(source: str) -> Iterator[str]:
    """The names of constants of a module that say how much there may be of something."""
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        for each in target.elts if isinstance(target, ast.Tuple) else (target,):
            if isinstance(each, ast.Name) and BOUND.match(each.id):
                yield each.id


def test_every_bound_is_listed_with_what_it_means_for_a_newcomer() -> None:
    found = {
        f"{path.relative_to(PROJECT)}:{name}"
        for root in ("p2p", "daemon")
        for path in (PROJECT / root).rglob("*.py")
        for name in bounds_in(path.read_text(encoding="utf-8"))
    }
    assert found - SHARED.keys() - OF_ONE == set(), "say here, and in docs/security.md, who can fill it"
    assert (SHARED.keys() | OF_ONE) - found == set(), "these are gone"


def test_every_shared_bound_has_its_row() -> None:
    assert [row for row in sorted({*SHARED.values(), *BOUNDS}) if not bound(row)] == []


def test_a_new_bound_is_seen() -> None:
    source = "MOST_WAITING = 5\nMAX_PEERS: int = 6\nRECENT_S = 1.0\nother, MAX_ADDRS = 7, 8\n"
    assert list(bounds_in(source)) == ["MOST_WAITING", "MAX_PEERS", "MAX_ADDRS"]
