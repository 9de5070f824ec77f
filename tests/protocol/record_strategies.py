"""What hypothesis makes of the records: any value of the CBOR subset, any record, any damage."""

from typing import Any
from unicodedata import normalize

from hypothesis import strategies as st

from musig2.protocol.records.cbor import MAX_UINT
from musig2.protocol.records.field_rules import WEEK_MS
from musig2.protocol.records.peers import PREFIX
from musig2.protocol.records.records import (
    AbortBody,
    Advertisement,
    Cancel,
    Considering,
    Decline,
    DoneBody,
    Election,
    Entry,
    Item,
    Join,
    Message,
    Node,
    NonceBody,
    Notice,
    PartialBody,
    Record,
    Request,
    WireTweak,
    Withdrawal,
)

uints = st.integers(0, MAX_UINT)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: normalize("NFC", text))
names = st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True)
name_lists = st.sets(names, max_size=5).map(lambda some: tuple(sorted(some)))
schemes = st.sampled_from(("lotus", "bip340"))
pubkeys = st.builds(lambda sign, x: bytes([sign]) + x, st.sampled_from((2, 3)), st.binary(min_size=32, max_size=32))
peers = st.binary(min_size=32, max_size=32).map(lambda key: PREFIX + key)
addr_lists = st.lists(st.binary(min_size=1, max_size=40), max_size=16).map(tuple)
b32 = st.binary(min_size=32, max_size=32)
starts = st.integers(0, MAX_UINT - WEEK_MS)


def open_values(levels: int = 6) -> st.SearchStrategy[Any]:
    """Any value of the subset, nested so deep."""
    plain: st.SearchStrategy[Any] = st.none() | st.booleans() | uints | st.binary(max_size=40) | texts
    if levels == 0:
        return plain
    return plain | st.lists(open_values(levels - 1), max_size=3).map(tuple) | open_maps(levels)


def open_maps(levels: int = 5) -> st.SearchStrategy[dict[str, Any]]:
    """Any open map; in a record it has five levels."""
    keys = texts.filter(lambda name: len(name.encode()) <= 24)
    return st.dictionaries(keys, open_values(levels - 1), max_size=3)


@st.composite
def advertisements(draw: st.DrawFn) -> Advertisement:
    bounds = sorted((draw(uints), draw(uints)))
    start = draw(starts)
    return Advertisement(
        scheme=draw(schemes),
        pubkey=draw(pubkeys),
        peer=draw(peers),
        addrs=draw(addr_lists),
        types=draw(name_lists),
        ts=start,
        exp=start + draw(st.integers(1, WEEK_MS)),
        min=draw(st.sampled_from((None, bounds[0]))),
        max=draw(st.sampled_from((None, bounds[1]))),
        trust=draw(st.sampled_from((None, {"reputation": 7}, {"reputation": 0, "requiresVerification": True}))),
        metadata=draw(open_maps()) or None,
    )


@st.composite
def tweak_lists(draw: st.DrawFn, scheme: str) -> tuple[WireTweak, ...]:
    root = draw(st.none() | b32.filter(any))
    last = draw(st.sampled_from(((), (WireTweak(2, root),))))
    if scheme == "lotus":
        return last
    scalars = st.integers(1, 1 << 250).map(lambda scalar: scalar.to_bytes(32, "big"))
    return (*draw(st.lists(st.builds(WireTweak, st.sampled_from((0, 1)), scalars), max_size=3)), *last)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    scheme, start = draw(schemes), draw(starts)
    keys = tuple(sorted(draw(st.lists(pubkeys, min_size=2, max_size=6, unique_by=lambda key: key[1:]))))
    items = st.builds(Item, b32, tweak_lists(scheme), pubkeys, st.none() | uints)
    return Request(
        scheme=scheme,
        keys=keys,
        order=tuple(draw(st.permutations(range(len(keys))))),
        items=tuple(draw(st.lists(items, min_size=1, max_size=4))),
        creator=draw(st.sampled_from(keys)),
        created=start,
        expires=start + draw(st.integers(1, WEEK_MS)),
        round_ms=draw(st.integers(1, WEEK_MS)),
        max_attempts=draw(st.integers(1, 16)),
        salt=draw(st.binary(min_size=16, max_size=16)),
        election=draw(
            st.none() | st.builds(Election, st.sampled_from(("lexicographic", "last-signer")), st.integers(1, 9))
        ),
        metadata=draw(open_maps()),
    )


def bodies() -> st.SearchStrategy[Any]:
    nonces = st.lists(st.binary(min_size=66, max_size=66), min_size=1, max_size=3).map(tuple)
    evidence = st.lists(st.binary(min_size=1, max_size=99), max_size=8).map(tuple)
    scopes = st.sampled_from(("attempt", "request"))
    return st.one_of(
        st.builds(NonceBody, b32, nonces),
        st.builds(PartialBody, b32, st.lists(b32, min_size=1, max_size=3).map(tuple)),
        st.builds(AbortBody, texts, scopes, st.lists(pubkeys, max_size=3).map(tuple), evidence),
        st.builds(DoneBody, b32),
    )


def living(cls: type, *fields: st.SearchStrategy[Any], last: tuple[bytes, ...] = ()) -> st.SearchStrategy[Any]:
    """Records that have ts and exp after these fields, and before the last ones."""

    def made(start: int, life: int, *values: Any) -> Any:
        return cls(*values, start, start + life, *last)

    return st.builds(made, starts, st.integers(1, 99), *fields)


def records() -> st.SearchStrategy[Record]:
    """Any record that peers would accept for its form."""
    b16 = st.binary(min_size=16, max_size=16)
    tags = st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=9).map(tuple)
    entries = living(Entry, schemes, pubkeys, peers, name_lists, last=(bytes(32),))
    return st.one_of(
        advertisements(),
        requests(),
        entries,
        st.builds(Withdrawal, schemes, pubkeys, uints),
        st.builds(Join, schemes, b32, st.integers(1, 16), pubkeys, peers, addr_lists, uints),
        st.builds(Decline, schemes, b32, pubkeys, texts, uints),
        st.builds(Cancel, schemes, b32, pubkeys, texts, uints),
        st.builds(Considering, schemes, b32, pubkeys, uints),
        st.builds(Message, b32, b32, bodies()),
        living(Node, peers, addr_lists, name_lists),
        living(Notice, peers, b16, tags),
    )


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes after a few changes, cuts and insertions."""
    buffer = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(buffer) - 1)))
        match draw(st.sampled_from(("flip", "set", "cut", "insert", "repeat", "end"))):
            case "flip":
                buffer[at : at + 1] = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in buffer[at : at + 1])
            case "set":
                buffer[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del buffer[at : at + draw(st.integers(1, 40))]
            case "insert":
                buffer[at:at] = draw(st.binary(min_size=1, max_size=9))
            case "repeat":
                buffer[at:at] = buffer[at : at + draw(st.integers(1, 40))]
            case _:
                del buffer[at:]
    return bytes(buffer)
