"""Looks up what `/dnsaddr/NAME` stands for: TXT records of _dnsaddr.NAME, each with one multiaddr.

The library's resolver follows every name that a record names, 32 deep, so that one small zone makes it ask without end.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any

import trio

from p2p.addresses import Multiaddr, dialable, dnsaddr_name, split_peer
from p2p.errors import AddressError

PREFIX = "dnsaddr="
DEPTH = 3  # records that name records
MOST_ASKED, MOST_FOUND = 8, 32
LOOKUP_S = 10.0


class NoSuchName(Exception):
    """Nothing that can be dialled was found; the text says why."""


async def look_up(name: str, *, private_addresses: bool) -> list[tuple[bytes, bytes]]:
    """(address, peer) of each that can be dialled. Raises NoSuchName."""
    found: dict[tuple[bytes, bytes], None] = {}
    asked: list[str] = []
    due = [name]
    why = "there is no record"
    with trio.move_on_after(LOOKUP_S) as scope:
        for _ in range(DEPTH):
            names = [each for each in dict.fromkeys(due) if each not in asked][: MOST_ASKED - len(asked)]
            asked += names
            due = []
            for each in names:
                try:
                    texts = await _records(each)
                except NoSuchName as error:
                    why = str(error)
                    continue
                for text in texts[:MOST_FOUND]:
                    _sort(text, found, due, private_addresses)
    if not found:
        raise NoSuchName("no answer came" if scope.cancelled_caught else why)
    return list(found)[:MOST_FOUND]


def _sort(text: str, found: dict[tuple[bytes, bytes], None], due: list[str], private_addresses: bool) -> None:
    """Into addresses of our kind, and names to ask next; everything else is of other networks."""
    with contextlib.suppress(AddressError):
        named = dnsaddr_name(text)
        if named is not None:
            due.append(named[0])
            return
        addr, peer = split_peer(text)
        if dialable(Multiaddr(addr), private_addresses=private_addresses):
            found[addr, peer] = None


async def _records(name: str) -> list[str]:
    """Raises NoSuchName. dnspython is loaded when the first name is looked up, outside the loop: it is large."""
    resolver: Any = await trio.to_thread.run_sync(import_module, "dns.asyncresolver")
    failures: Any = import_module("dns.exception")
    try:
        answer = await resolver.Resolver().resolve(f"_dnsaddr.{name}", "TXT", search=False)
    except failures.DNSException as error:
        raise NoSuchName(type(error).__name__) from error
    texts = [b"".join(record.strings).decode("ascii", "replace") for record in answer]
    return [text.removeprefix(PREFIX) for text in texts if text.startswith(PREFIX)]
