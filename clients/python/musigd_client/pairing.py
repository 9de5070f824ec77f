"""Pairing links: two people who know each other exchange one instead of looking for each other on the market.

musigd://pair?sum=1a2b3c4d&addr=/ip4/203.0.113.7/tcp/4327/p2p/12D3...&key=02...&scheme=bip340&network=main&name=Alice

`sum`: the CRC-32 of the other members, so that a link that was cut off is known as such; it comes first, where no cut
loses it. Links of older daemons have none. `addr` (one to four): where the daemon can be dialled, each ending in its
peer id; `key`: the public key that signs there; `network`: that of the daemon.

Nothing in a link is secret. Whoever passes it on can replace the key: compare the key with its owner, or get the link
from the owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit
from zlib import crc32

from musigd_client.failures import ClientError
from musigd_client.record import Record

if TYPE_CHECKING:
    from typing import Literal

PREFIX: Final = "musigd://"
LONGEST: Final = 2_000  # characters
MOST_ADDRESSES: Final = 4
LONGEST_NICKNAME: Final = 100
INCOMPLETE: Final = "this link is incomplete: copy it whole, and in a shell put it between quotes"
_KEY: Final = re.compile("0[23][0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"/[!-~]+/p2p/([1-9A-HJ-NP-Za-km-z]+)")
_NETWORK: Final = re.compile("[a-z0-9-]{1,32}")


class NoPairing(ClientError):
    """The text is not a pairing link; the sentence says why."""


class Pairing(Record):
    """What a link says. `multiaddrs`: one to four, each with the peer id at its end."""

    multiaddrs: tuple[str, ...]
    public_key: str
    scheme: Literal["lotus", "bip340"]
    nickname: str | None = None
    network: str | None = None


def pairing_link(pairing: Pairing) -> str:
    """The link as text. Raises NoPairing for values that a link cannot hold."""
    _require_whole(pairing)
    parts = [("addr", address) for address in pairing.multiaddrs]
    parts += [("key", pairing.public_key), ("scheme", pairing.scheme)]
    parts += [("network", pairing.network)] if pairing.network else []
    parts += [("name", pairing.nickname)] if pairing.nickname else []
    return f"{PREFIX}pair?{urlencode([('sum', _sum(parts)), *parts], safe='/', quote_via=quote)}"


def read_pairing(link: str) -> Pairing:
    """What a link says; unknown members are ignored. Raises NoPairing."""
    if not link.startswith(f"{PREFIX}pair?"):
        raise NoPairing("a pairing link begins with musigd://pair?: copy it whole")
    if len(link) > LONGEST:
        raise NoPairing(f"a pairing link has at most {LONGEST} characters")
    query = urlsplit(link).query
    _require_uncut(query)
    try:
        said = parse_qs(query, strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise NoPairing("after musigd://pair? a pairing link has name=value pairs, joined by &") from None
    pairing = Pairing(
        multiaddrs=tuple(said.get("addr", ())),
        public_key=_one(said, "key"),
        scheme="lotus" if _one(said, "scheme") == "lotus" else "bip340",
        nickname=_one(said, "name") if "name" in said else None,
        network=_one(said, "network") if "network" in said else None,
    )
    if said["scheme"] != [pairing.scheme]:
        raise NoPairing("the scheme of a pairing link is lotus or bip340")
    _require_whole(pairing)
    return pairing


def _require_uncut(query: str) -> None:
    """Raises NoPairing unless the sum, where there is one, is that of the other members."""
    members = parse_qsl(query, keep_blank_values=True, errors="replace")
    sums = [value for name, value in members if name == "sum"]
    if sums and sums != [_sum(member for member in members if member[0] != "sum")]:
        raise NoPairing(INCOMPLETE)


def _sum(members: Iterable[tuple[str, str]]) -> str:
    """Over the values as they are read: programs that pass a link on may write its characters in another way."""
    return f"{crc32('&'.join(f'{name}={value}' for name, value in members).encode()):08x}"


def _one(said: dict[str, list[str]], name: str) -> str:
    values = said.get(name, [])
    if not values:
        raise NoPairing(f"a pairing link has one {name}, and this one has none: copy it whole")
    if len(values) != 1:
        raise NoPairing(f"a pairing link has one {name}, and this one has {len(values)}")
    return values[0]


def _require_whole(pairing: Pairing) -> None:
    if not 1 <= len(pairing.multiaddrs) <= MOST_ADDRESSES:
        raise NoPairing(f"a pairing link has 1 to {MOST_ADDRESSES} addr")
    peers = {found[1] if (found := _ADDRESS.fullmatch(address)) else None for address in pairing.multiaddrs}
    if None in peers or len(peers) != 1:
        raise NoPairing("each addr of a pairing link ends in /p2p/ and the same peer id")
    if _KEY.fullmatch(pairing.public_key) is None:
        raise NoPairing("the key of a pairing link has 33 bytes in lower-case hex, the first 02 or 03")
    if pairing.network is not None and _NETWORK.fullmatch(pairing.network) is None:
        raise NoPairing("the network of a pairing link is a name of lower-case letters, digits and -")
    nickname = pairing.nickname or ""
    if len(nickname) > LONGEST_NICKNAME or not nickname.isprintable():
        raise NoPairing(f"the name in a pairing link is one line of at most {LONGEST_NICKNAME} characters")
