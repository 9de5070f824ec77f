"""The protocol's own subset of deterministic CBOR (RFC 8949, section 4.2), strict on both sides.

There are unsigned integers below 2^53, byte strings, NFC text, arrays, maps with text keys of at most 24 bytes, true,
false and null, nested at most six deep. Every value has exactly one encoding, and `decode` accepts no other: shortest
lengths, map keys in bytewise order of their encoded form and without duplicates, nothing behind the value. Arrays are
tuples here, and bytes are `bytes`.

Bytes from peers come in here first, so cost and memory are bounded: a claimed length is compared with what is left
before anything is made of it, and arrays and maps together hold at most 65,536 items, lest a megabyte of zeros become a
million numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records.normal_form import is_nfc
from musig2.protocol.records.records import Open

MAX_UINT: Final = (1 << 53) - 1
MAX_KEY: Final = 24
MAX_DEPTH: Final = 6
FEW: Final = 16  # keys: the order of such maps is remembered
MAX_VALUES: Final = 65_536  # items of arrays and pairs of maps, in all
KNOWN_KEYS: Final = 1_024  # map keys that are not decoded again; peers may name others, which takes longer
_KEYS: Final[dict[bytes, str]] = {}  # by their encoding
_SIMPLE: Final[dict[int, bool | None]] = {0xF4: False, 0xF5: True, 0xF6: None}


def decode(data: bytes) -> Open:
    """The one value that `data` is the encoding of; BadEncoding for everything else. `encode` gives the same bytes."""
    try:
        value, end = _item(data, 0, MAX_DEPTH, [MAX_VALUES])
    except IndexError:
        raise BadEncoding("it ends too early") from None
    if end != len(data):
        raise BadEncoding("something stands behind its end")
    return value


def _item(data: bytes, pos: int, depth: int, room: list[int]) -> tuple[Open, int]:
    """The value that begins at `pos`, and where it ends; `depth` more levels and `room[0]` more items are allowed."""
    first = data[pos]
    if first == 0x58 and data[pos + 1] >= 24 and (end := pos + 2 + data[pos + 1]) <= len(data):
        return data[pos + 2 : end], end  # most items: keys, ids, nonces, signatures
    if 0x60 <= first < 0x78 and (end := pos + first - 0x5F) <= len(data):
        return _text(data[pos + 1 : end]), end
    pos += 1
    major = first >> 5
    count = first & 31
    if major == 7:
        if first not in _SIMPLE:
            raise BadEncoding("a float, or a simple value other than true, false and null")
        return _SIMPLE[first], pos
    if count >= 24:
        count, pos = _count(data, pos, count)
    if major == 0:
        return count, pos
    if count > len(data) - pos:  # holds for arrays and maps too: an item takes at least one byte
        raise BadEncoding("a length beyond the end")
    if major == 2:
        return data[pos : pos + count], pos + count
    if major == 3:
        return _text(data[pos : pos + count]), pos + count
    if major == 4:
        return _array(data, pos, count, depth, room)
    if major == 5:
        return _map(data, pos, count, depth, room)
    raise BadEncoding("a negative number or a tag")


def _count(data: bytes, pos: int, kind: int) -> tuple[int, int]:
    """A length or number of more than 5 bits, which must not fit into a shorter form."""
    if kind == 24:
        if data[pos] < 24:
            raise BadEncoding("a number that is not in its shortest form")
        return data[pos], pos + 1
    if kind > 27:
        raise BadEncoding("an indefinite or reserved length")
    size = 1 << (kind - 24)
    end = pos + size
    if end > len(data):
        raise BadEncoding("it ends too early")
    count = int.from_bytes(data[pos:end], "big")
    if count >> (4 * size) == 0:
        raise BadEncoding("a number that is not in its shortest form")
    if count > MAX_UINT:
        raise BadEncoding("a number of 2^53 or more")
    return count, end


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadEncoding("text that is not UTF-8") from None
    if not text.isascii() and not is_nfc(text):
        raise BadEncoding("text that is not in NFC")
    return text


def _enter(count: int, depth: int, room: list[int]) -> None:
    """Make sure that an array or a map of this size may stand here."""
    if not depth:
        raise BadEncoding("nesting of more than six levels")
    room[0] -= count
    if room[0] < 0:
        raise BadEncoding("more than 65,536 items")


def _array(data: bytes, pos: int, count: int, depth: int, room: list[int]) -> tuple[Open, int]:
    _enter(count, depth, room)
    items = []
    for _ in range(count):
        value, pos = _item(data, pos, depth - 1, room)
        items.append(value)
    return tuple(items), pos


def _map(data: bytes, pos: int, count: int, depth: int, room: list[int]) -> tuple[Open, int]:
    _enter(count, depth, room)
    fields: dict[str, Open] = {}
    before = b""
    for _ in range(count):
        start = pos
        first = data[pos]
        size = first - 0x60
        if 0 <= size < 24:
            pos += 1
        elif first == 0x78 and data[pos + 1] == MAX_KEY:
            size = MAX_KEY
            pos += 2
        else:
            raise BadEncoding("a map key that is not text of at most 24 bytes")
        end = pos + size
        encoded = data[start:end]
        if end > len(data):
            raise BadEncoding("it ends too early")
        if encoded <= before:
            raise BadEncoding("map keys that are repeated or out of order")
        before = encoded
        name = _KEYS.get(encoded)
        if name is None:
            name = _text(data[pos:end])
            if len(_KEYS) < KNOWN_KEYS:
                _KEYS[encoded] = name
        fields[name], pos = _item(data, end, depth - 1, room)
    return fields, pos


class _Unfit(Exception):
    """What this subset cannot say. `path` grows as the exception leaves arrays and maps, the innermost step first."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path: list[str] = []

    def translated(self) -> InvalidRecord:
        path = "".join(reversed(self.path)).removeprefix(".")
        return InvalidRecord(f"{path or 'value'} {self.problem}")


def encode(value: Open) -> bytes:
    """The one encoding of a value; InvalidRecord, naming the place, for what this subset cannot say."""
    out = bytearray()
    try:
        _put(out, value, MAX_DEPTH)
    except _Unfit as unfit:
        raise unfit.translated() from None
    return bytes(out)


def _put(out: bytearray, value: Open, depth: int) -> None:
    if isinstance(value, bytes):
        _put_head(out, 0x40, len(value))
        out += value
    elif value is None or value is True or value is False:
        out.append(0xF6 if value is None else 0xF4 + value)
    elif isinstance(value, int):
        if not 0 <= value <= MAX_UINT:
            raise _Unfit("must be a number from 0 to 2^53 - 1")
        _put_head(out, 0x00, value)
    elif isinstance(value, str):
        raw = _utf8(value)
        _put_head(out, 0x60, len(raw))
        out += raw
    elif isinstance(value, (tuple, list)):
        _put_items(out, value, depth)
    elif isinstance(value, Mapping):
        _put_map(out, value, depth)
    else:
        raise _Unfit("has a type that records cannot hold")


def _put_items(out: bytearray, items: Sequence[Open], depth: int) -> None:
    if not depth:
        raise _Unfit(_TOO_DEEP)
    _put_head(out, 0x80, len(items))
    index = 0
    try:
        for index, item in enumerate(items):  # noqa: B007  # named where it fails
            _put(out, item, depth - 1)
    except _Unfit as unfit:
        unfit.path.append(f"[{index}]")
        raise


def _put_map(out: bytearray, fields: Mapping[str, Open], depth: int) -> None:
    if not depth:
        raise _Unfit(_TOO_DEEP)
    _put_head(out, 0xA0, len(fields))
    name = None
    try:
        for name, encoded in _in_order(tuple(fields)) if len(fields) <= FEW else _sorted(fields):
            out += encoded
            _put(out, fields[name], depth - 1)
    except _Unfit as unfit:
        if name is not None:
            unfit.path.append(f".{name}")
        raise


def _sorted(names: Iterable[str]) -> tuple[tuple[str, bytes], ...]:
    """The keys of a map in the order of their encodings, with these."""
    return tuple((name, encoded) for encoded, name in sorted((_key(name), name) for name in names))


_in_order: Final = lru_cache(maxsize=256)(_sorted)  # nearly all maps are those of a few records


def _put_head(out: bytearray, major: int, count: int) -> None:
    if count < 24:
        out.append(major | count)
    elif count < 1 << 8:
        out += bytes((major | 24, count))
    elif count < 1 << 16:
        out.append(major | 25)
        out += count.to_bytes(2, "big")
    elif count < 1 << 32:
        out.append(major | 26)
        out += count.to_bytes(4, "big")
    else:
        out.append(major | 27)
        out += count.to_bytes(8, "big")


def _key(name: str) -> bytes:
    """A key with its head, by which keys are sorted."""
    if not isinstance(name, str):
        raise _Unfit("has a key that is not text")
    raw = _utf8(name)
    if len(raw) > MAX_KEY:
        raise _Unfit(f"has a key of more than 24 bytes: {name[:MAX_KEY]!r}...")
    out = bytearray()
    _put_head(out, 0x60, len(raw))
    return bytes(out) + raw


def _utf8(text: str) -> bytes:
    if text.isascii():
        return text.encode()
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise _Unfit("holds half a character (a lone surrogate)") from None
    if not is_nfc(text):
        raise _Unfit("holds text that is not in NFC: normalise it")
    return raw


_TOO_DEEP: Final = "is nested too deeply: six levels are allowed in all"
