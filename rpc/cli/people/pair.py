"""`musig-cli pair`: prints a pairing link to this daemon and a key, at a terminal with its QR code."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

from musigd_client.endpoint import Locator
from musigd_client.pairing import Pairing, pairing_link
from musigd_client.sync.http import call
from rpc.cli.params import UsageError

MOST_SHOWN: Final = 2  # addresses: with more, the code is too fine for a camera
_BORDER: Final = 2
_HALVES: Final = {(0, 0): "\u2588", (0, 1): "\u2580", (1, 0): "\u2584", (1, 1): " "}  # what is dark stays dark


def pairing(locator: Locator, key: str | None, nickname: str | None) -> str:
    """The link of this daemon and one of its keys. Raises UsageError unless one key is meant."""
    info = call(locator, "getInfo", {})
    own = _key(call(locator, "listKeys", {})["keys"], key)
    addresses = sorted(info["multiaddrs"], key=_is_for_this_machine)[:MOST_SHOWN]
    if not addresses:
        raise UsageError("the daemon has no address that others can dial: see getInfo().problems, or set p2p.announce")
    said = Pairing(
        multiaddrs=tuple(addresses),
        public_key=own["publicKey"],
        scheme=own["scheme"],
        nickname=nickname,
        network=info["network"],
    )
    return pairing_link(said)


def _key(keys: Sequence[Mapping[str, Any]], named: str | None) -> Mapping[str, Any]:
    found = [key for key in keys if named in (None, key["publicKey"])]
    if not found:
        raise UsageError("there is no such key here: listKeys shows them" if named else "make a key first: createKey")
    if len(found) > 1:
        raise UsageError(f"there are {len(found)} keys: name one, musig-cli pair PUBLICKEY")
    return found[0]


def _is_for_this_machine(multiaddr: str) -> bool:
    try:
        return ipaddress.ip_address(multiaddr.split("/")[2]).is_loopback
    except ValueError:
        return False


def qr_code(text: str) -> str:
    """The code in half lines of text; light modules are drawn, as terminals are dark."""
    import segno  # noqa: PLC0415  # few commands draw

    rows = [list(row) for row in segno.make(text, error="l", micro=False).matrix_iter(border=_BORDER)]
    rows += [[0] * len(rows[0])] if len(rows) % 2 else []
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return (
        "\n".join("".join(_HALVES[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs) + "\n"
    )
