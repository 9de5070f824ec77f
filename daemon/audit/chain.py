"""The chain: each line carries the hash of the line before it, and a file of lines shows what was done to it.

    hash = SHA256("musigd/audit/v1" | hash of the line before | seq, 8 bytes | time, 8 bytes | body)

`body` is JSON with sorted keys. A file is text: a head that says after which line it begins, the lines, and a foot that
says where it ends, with the SHA-256 of everything above it. Any other form is refused, so that no byte of a file can be
changed. Whoever can rewrite the whole log can make another chain: print an anchor (`seq:hash`) from time to time and
keep it elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, Self

import orjson

_TAG: Final = b"musigd/audit/v1"
_FORMAT: Final = 1
_PLACE: Final = Struct(">Qq").pack  # seq and time


class ChainBroken(Exception):
    """The lines are not those that were written; the text says where."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The position after a line: its seq, 0 before the first, and its hash (32 bytes)."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `seq:hash`. Raises ValueError."""
        seq, _, digest = text.partition(":")
        if not seq.isdecimal() or len(digest) != 64:
            raise ValueError(f"{text!r} is not an anchor: write a number, a colon and 64 hex digits")
        return cls(int(seq), bytes.fromhex(digest))


GENESIS: Final = Anchor(0, hashlib.sha256(_TAG).digest())


@dataclass(frozen=True, slots=True)
class ChainLine:
    """One line. `time` in ms since 1970; `body` is the JSON text that was hashed."""

    seq: int
    time: int
    body: str
    hash: bytes

    @property
    def link(self) -> Anchor:
        return Anchor(self.seq, self.hash)


def next_line(after: Anchor, time: int, facts: Mapping[str, object]) -> ChainLine:
    """The line that follows."""
    body = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
    seq = after.seq + 1
    return ChainLine(seq, time, body.decode(), _digest(after.hash, seq, time, body))


def _digest(before: bytes, seq: int, time: int, body: bytes) -> bytes:
    return hashlib.sha256(_TAG + before + _PLACE(seq, time) + body).digest()


def follow(lines: Iterable[ChainLine], start: Anchor) -> Anchor:
    """The position after the last line. Raises ChainBroken if one does not follow the one before."""
    at = start
    for line in lines:
        if line.seq != at.seq + 1:
            raise ChainBroken(f"after seq {at.seq} comes seq {line.seq}: lines were removed, added or moved")
        if line.hash != _digest(at.hash, line.seq, line.time, line.body.encode()):
            raise ChainBroken(f"seq {line.seq} is not what was written after seq {at.seq}")
        at = line.link
    return at


def written(lines: Iterable[ChainLine], start: Anchor) -> Iterator[bytes]:
    """A file of lines that follow `start`, line by line."""
    whole, at = hashlib.sha256(), start
    head = _text({"audit": _FORMAT, "after": str(start)})
    whole.update(head)
    yield head
    for line in lines:
        text, at = _line_text(line), line.link
        whole.update(text)
        yield text
    yield _text({"end": str(at), "sha256": whole.hexdigest()})


def _line_text(line: ChainLine) -> bytes:
    body = orjson.Fragment(line.body)
    return _text({"body": body, "hash": line.hash.hex(), "seq": line.seq, "time": line.time})


def _text(told: Mapping[str, object]) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A verified file: it has the lines after `start` up to `end`. Errors name lines of the file, from 1, and seqs."""

    start: Anchor
    end: Anchor


def check_file(texts: Iterable[bytes], anchors: Iterable[Anchor] = ()) -> CheckedFile:
    """Whether a file is whole and unchanged, and holds every anchor. Raises ChainBroken."""
    whole, start, at = hashlib.sha256(), None, GENESIS
    wanted = {anchor.seq: anchor.hash for anchor in anchors}
    seen: dict[int, bytes] = {}
    texts = iter(texts)
    for number, text in enumerate(texts, 1):
        with _in_line(number):
            told = _parsed(text)
            if start is None:
                start = at = _start_of(told)
            elif "end" in told:
                _check_foot(told, at, whole.hexdigest(), texts)
                break
            else:
                at = follow([_line_of(told, text)], at)
        whole.update(text)
        if at.seq in wanted:
            seen[at.seq] = at.hash
    else:
        raise ChainBroken("the file was cut off: its last line, the foot, is missing")
    assert start is not None, "a foot comes after a head"
    for seq, digest in wanted.items():
        if seen.get(seq) != digest:
            raise ChainBroken(_without(Anchor(seq, digest), start, at))
    return CheckedFile(start, at)


@contextmanager
def _in_line(number: int) -> Iterator[None]:
    """Whatever is wrong inside is in this line of the file."""
    try:
        yield
    except ChainBroken as broken:
        raise ChainBroken(f"line {number} of the file: {broken}") from None


def _without(anchor: Anchor, start: Anchor, end: Anchor) -> str:
    """Why the anchor may not be in a file that is whole."""
    if anchor.seq > end.seq:
        return (
            f"the anchor {anchor} lies after the end of the file, which is seq {end.seq}: it was printed after this "
            "export, or the newest lines were taken away before it"
        )
    if anchor.seq < start.seq:
        return f"the anchor {anchor} lies before the file, which begins after seq {start.seq}: give a later one"
    return f"the anchor {anchor} is not in it: at seq {anchor.seq} is another line, so the log was written anew"


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ChainBroken("it is not JSON") from None
    if not isinstance(told, dict) or _text(told) != text:
        raise ChainBroken("it is not in the form of an export")
    return told


def _start_of(told: Mapping[str, Any]) -> Anchor:
    try:
        if told.keys() != {"audit", "after"} or told["audit"] != _FORMAT:
            raise ValueError
        return Anchor.parse(told["after"])
    except (ValueError, AttributeError):
        raise ChainBroken("it is not the head of an exported audit log") from None


def _line_of(told: Mapping[str, Any], text: bytes) -> ChainLine:
    try:
        body = orjson.dumps(told["body"], option=orjson.OPT_SORT_KEYS).decode()
        line = ChainLine(told["seq"], told["time"], body, bytes.fromhex(told["hash"]))
        if told.keys() != {"body", "hash", "seq", "time"} or _line_text(line) != text:
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ChainBroken("it is not in the form of an export") from None
    return line


def _check_foot(told: Mapping[str, object], at: Anchor, digest: str, rest: Iterator[bytes]) -> None:
    if told != {"end": str(at), "sha256": digest}:
        raise ChainBroken(f"the foot names another end than seq {at.seq}: lines are missing or changed")
    if next(rest, None) is not None:
        raise ChainBroken("the foot is not the last line")
