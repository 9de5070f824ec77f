"""The ways of asking a daemon for work, by name; `price_asks` says how each asks. Without the libraries of a peer."""

from __future__ import annotations

from typing import Final

WAYS: Final = (
    "one byte in each message",
    "one small message after the other",
    "window updates",
    "messages on another topic",
    "opened, negotiated, reset",
    "new peers that leave again",
    "signatures, two of three lotus",
    "keys of lists of 100",
    "answers that nobody waits for",
    "have of unknown requests",
    "requests of two keys",
    "requests that show much",
    "joins of creators",
    "fetches of 16 delegations",
    "for nodes",
    "ids that are not there",
    "advertisements pushed",
    "buckets that all differ",
    "pages of the log",
    "entries on a topic",
    "ids that somebody has",
    "who is closest to a key",
    "records to store",
    "notices of peers that are not there",
)


def price_of(way: str) -> str:
    """The name of its price in a sample."""
    return f"price of {way}"
