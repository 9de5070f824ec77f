"""Where a multiaddr leads: one host, one port, and the way to go there. Everything else that it may hold is refused.

The one file that imports the untyped library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from multiaddr import Multiaddr  # type: ignore[import-untyped] # the library has no type information

from p2p.errors import AddressError

__all__ = ["HOSTS", "Multiaddr", "Place", "Way", "place_of"]

NAMES: Final = ("dns", "dns4", "dns6")
HOSTS: Final = ("ip4", "ip6", *NAMES)
OUR_PEERS: Final = "12D3Koo"  # how the ids of ed25519 peers begin
TAILS: Final[tuple[list[str], ...]] = ([], ["p2p"])  # what may follow the way to a peer
RELAYED: Final = (["p2p", "p2p-circuit"], ["p2p", "p2p-circuit", "p2p"])  # and the way to a relay
PLAIN: Final = (
    "an address here is one host and its TCP port, such as /ip4/203.0.113.7/tcp/4327 or /dns4/NAME/tcp/4327, with /ws "
    "or /wss behind it for WebSocket; or an onion service, such as /onion3/ADDRESS:4327"
)
# What multiaddrs can name and this network does not support; the first match counts.
UNSPOKEN: Final = (
    (
        "p2p-circuit",
        "a relayed address is the address of a relay with its peer id and /p2p-circuit behind it, such as "
        "/ip4/203.0.113.7/tcp/4327/p2p/12D3Koo.../p2p-circuit",
    ),
    (
        "dnsaddr",
        "/dnsaddr stands for other addresses, which are looked up for p2p.bootstrap only: name one of them, such as "
        "/dns4/NAME/tcp/4327 or /ip4/203.0.113.7/tcp/4327",
    ),
    *(
        (name, "QUIC and protocols over it are not supported here, only TCP: take a /tcp/ address of that peer")
        for name in ("quic", "quic-v1", "webtransport", "webrtc", "webrtc-direct")
    ),
    ("udp", "UDP is not supported here, only TCP: take a /tcp/ address of that peer"),
    *(
        (name, "HTTP, and TLS without WebSocket, are not supported here: end it at the port, or with /ws or /wss")
        for name in ("http", "https", "tls")
    ),
    ("onion", "onion services of version 2 are gone: take the peer's /onion3/ address"),
)


class Way(Enum):
    """What is spoken on the TCP connection, below Noise."""

    TCP = "tcp"
    WS = "ws"
    WSS = "wss"


WAYS: Final[dict[tuple[str, ...], Way]] = {
    (): Way.TCP,
    ("ws",): Way.WS,
    ("wss",): Way.WSS,
    ("tls", "ws"): Way.WSS,
    ("tls", "sni", "ws"): Way.WSS,
}


@dataclass(frozen=True, slots=True)
class Place:
    """`kind`: the first protocol, of `HOSTS` or `onion3`. `server`: the name for TLS, else the host."""

    kind: str
    host: str
    port: int
    way: Way
    server: str

    @property
    def is_name(self) -> bool:
        """Whether somebody has to look the host up."""
        return self.kind in NAMES

    @property
    def is_onion(self) -> bool:
        """Whether only Tor leads there."""
        return self.kind == "onion3"


def place_of(addr: Multiaddr, *, listening: bool = False) -> Place:
    """Where to connect for that address; for one through a relay, where the relay is. Raises AddressError, why not.

    Only `/p2p/...` may follow, and `/p2p-circuit` behind the id of a relay. `listening`: port 0 is fine.
    """
    parts = [(str(protocol.name), value) for protocol, value in addr.items()]
    names = [name for name, _ in parts]
    end = names.index("p2p") if "p2p" in names else len(names)
    relayed = names[end:] in RELAYED and str(parts[end][1]).startswith(OUR_PEERS)
    onion = names[:1] == ["onion3"]
    start = 1 if onion else 2
    way = WAYS.get(tuple(names[start:end])) if start <= end else None
    plain = onion or (names[:1] and names[0] in HOSTS and names[1:2] == ["tcp"])
    if not plain or way is None or not (relayed or names[end:] in TAILS):
        raise AddressError("bad_address", next((why for name, why in UNSPOKEN if name in names), PLAIN))
    host, port = str(parts[0][1]).rsplit(":", 1) if onion else (str(parts[0][1]), str(parts[1][1]))
    if int(port) == 0 and not listening:
        raise AddressError(
            "bad_address", "nobody can be dialled at TCP port 0: name the port that the other listens on"
        )
    server = next((str(value) for name, value in parts[:end] if name == "sni"), host)
    return Place(names[0], f"{host}.onion" if onion else host, int(port), way, server)
