"""The payload of each record: closed maps, defined as tables of fields and rules.

A deterministic map has a fixed order, so the names in a payload must be exactly one of the tuples known here. A record
that a peer would refuse is not encoded either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import combinations
from typing import Any, Final, TypeAlias, cast

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records import field_rules as rule
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.field_rules import Rule
from musig2.protocol.records.records import (
    TYPE_OF,
    AbortBody,
    Advertisement,
    Body,
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
    RecordType,
    Request,
    WireTweak,
    Withdrawal,
)

Fields: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed map: what each field may hold, which may be absent, and how it becomes a value of ours and back."""

    cls: type
    rules: Mapping[str, Rule]
    absent: frozenset[str] = frozenset()
    whole: Callable[[Fields], str | None] = lambda _: None  # what single fields cannot show, as a problem
    read: Callable[[Fields], Fields] = lambda wire: wire
    write: Callable[[Any], Fields] | None = None


def _by_bytes(names: Iterable[str]) -> tuple[str, ...]:
    """In the order of a deterministic map."""
    return _sorted(tuple(names))


@lru_cache(maxsize=256)
def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (len(name), name)))


def _names_of(value: Record | Body) -> tuple[str, ...]:
    return _NAMES[type(value)]


_NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    cls: tuple(field.name for field in fields(cls)) for cls in (*TYPE_OF, NonceBody, PartialBody, AbortBody, DoneBody)
}


def _variants(shape: Shape) -> dict[tuple[str, ...], tuple[Rule, ...]]:
    """For every set of names that may come, in order, the rules in the same order."""
    leave_out = [set(some) for size in range(len(shape.absent) + 1) for some in combinations(shape.absent, size)]
    orders = [_by_bytes(shape.rules.keys() - some) for some in leave_out]
    return {order: tuple(shape.rules[name] for name in order) for order in orders}


def _advertisement_problem(wire: Fields) -> str | None:
    if wire["exp"] <= wire["ts"]:
        return "exp must be later than ts"
    if "min" in wire and "max" in wire and wire["min"] > wire["max"]:
        return "min must not be above max"
    return None


def _lifetime_problem(wire: Fields) -> str | None:
    return None if wire["ts"] < wire["exp"] else "exp must be later than ts"


def _request_problem(wire: Fields) -> str | None:
    if len(wire["order"]) != len(wire["keys"]):
        return "order must have one number for each key"
    if wire["creator"] not in wire["keys"]:
        return "creator must be one of keys"
    if wire["expires"] <= wire["created"]:
        return "expires must be later than created"
    if wire["scheme"] == "lotus":
        return None if all(rule.lotus_tweaks(item[1]) for item in wire["items"]) else "tweaks that lotus does not have"
    return None if len({key[1:] for key in wire["keys"]}) == len(wire["keys"]) else "keys must differ in x under bip340"


def _message_problem(wire: Fields) -> str | None:
    body = wire["body"]
    shape = BODIES[wire["seq"]]
    if tuple(body) != _BODY_NAMES[wire["seq"]]:
        return "body has an unknown or missing field"
    return next((f"body.{name}" for name, check in shape.rules.items() if not check(body[name])), None)


def _read_advertisement(wire: Fields) -> Fields:
    return {**wire, "trust": wire["trust"] or None, "metadata": wire["metadata"] or None}


def _write_advertisement(record: Advertisement) -> Fields:
    wire = {**_plain(record), "trust": record.trust or {}, "metadata": record.metadata or {}}
    return {name: value for name, value in wire.items() if value is not None}


def _read_request(wire: Fields) -> Fields:
    items = tuple(
        Item(msg, tuple(WireTweak(*tweak) for tweak in tweaks), agg, index) for msg, tweaks, agg, index in wire["items"]
    )
    return {**wire, "items": items, "election": Election(*wire["election"]) if wire["election"] else None}


def _write_request(record: Request) -> Fields:
    items = tuple(
        (item.msg, tuple((tweak.kind, tweak.value) for tweak in item.tweaks), item.agg, item.input)
        for item in record.items
    )
    election = record.election and (record.election.method, record.election.broadcast_ms)
    return {**_plain(record), "items": items, "election": election}


def _read_message(wire: Fields) -> Fields:
    body = BODIES[wire["seq"]].cls(**wire["body"])
    return {"session": wire["session"], "join": wire["join"], "body": body}


def _write_message(record: Message) -> Fields:
    body: Body = record.body
    named = {name: getattr(body, name) for name in _by_bytes(_names_of(body))}
    return {"session": record.session, "join": record.join, "seq": record.seq, "body": named}


def _plain(record: Record) -> Fields:
    return {name: getattr(record, name) for name in _names_of(record)}


BODIES: Final[Mapping[int, Shape]] = {
    1: Shape(NonceBody, {"joinset": rule.b32, "pubnonces": rule.rows(rule.b66, 1, rule.MAX_ITEMS)}),
    2: Shape(PartialBody, {"nonceset": rule.b32, "psigs": rule.rows(rule.b32, 1, rule.MAX_ITEMS)}),
    3: Shape(
        AbortBody,
        {
            "reason": rule.text,
            "scope": rule.one_of("attempt", "request"),
            "missing": rule.rows(rule.pubkey, 0, rule.MAX_KEYS),
            "evidence": rule.evidence,
        },
    ),
    4: Shape(DoneBody, {"txid": rule.b32}),
}

_BODY_NAMES: Final = {seq: _by_bytes(shape.rules) for seq, shape in BODIES.items()}
_KEY: Final = {"scheme": rule.scheme_name, "pubkey": rule.pubkey}
_ENDING: Final = {**_KEY, "request": rule.b32, "reason": rule.text, "ts": rule.uint}
_LIFETIME: Final = {"ts": rule.uint, "exp": rule.uint}

SHAPES: Final[Mapping[RecordType, Shape]] = {
    RecordType.ADVERTISEMENT: Shape(
        Advertisement,
        {**_KEY, "peer": rule.peer, "addrs": rule.addrs, "types": rule.names, "min": rule.uint, "max": rule.uint}
        | {"trust": rule.trust, "metadata": rule.open_map, **_LIFETIME},
        frozenset(("min", "max")),
        _advertisement_problem,
        _read_advertisement,
        _write_advertisement,
    ),
    RecordType.WITHDRAWAL: Shape(Withdrawal, {**_KEY, "ts": rule.uint}),
    RecordType.ENTRY: Shape(
        Entry, {**_KEY, "peer": rule.peer, "types": rule.names, **_LIFETIME, "ad": rule.b32}, whole=_lifetime_problem
    ),
    RecordType.REQUEST: Shape(
        Request,
        {"scheme": rule.scheme_name, "keys": rule.keys, "order": rule.order, "items": rule.items}
        | {"creator": rule.pubkey, "created": rule.uint, "expires": rule.uint, "round_ms": rule.duration_ms}
        | {"max_attempts": rule.bounded(1, rule.MAX_ATTEMPTS), "salt": rule.b16, "election": rule.election}
        | {"metadata": rule.open_map},
        whole=_request_problem,
        read=_read_request,
        write=_write_request,
    ),
    RecordType.JOIN: Shape(
        Join,
        {**_KEY, "request": rule.b32, "attempt": rule.bounded(1, rule.MAX_ATTEMPTS)}
        | {"peer": rule.peer, "addrs": rule.addrs, "ts": rule.uint},
    ),
    RecordType.DECLINE: Shape(Decline, _ENDING),
    RecordType.CANCEL: Shape(Cancel, _ENDING),
    RecordType.CONSIDERING: Shape(Considering, {**_KEY, "request": rule.b32, "ts": rule.uint}),
    RecordType.MESSAGE: Shape(
        Message,
        {"session": rule.b32, "join": rule.b32, "seq": rule.bounded(1, 4), "body": rule.open_map},
        whole=_message_problem,
        read=_read_message,
        write=_write_message,
    ),
    RecordType.NODE: Shape(
        Node, {"peer": rule.peer, "addrs": rule.addrs, "roles": rule.names, **_LIFETIME}, whole=_lifetime_problem
    ),
    RecordType.NOTICE: Shape(
        Notice,
        {"peer": rule.peer, "salt": rule.b16, "tags": rule.rows(rule.b8, 1, rule.MAX_TAGS), **_LIFETIME},
        whole=_lifetime_problem,
    ),
}
_VARIANTS: Final = {record_type: _variants(shape) for record_type, shape in SHAPES.items()}


def decode_payload(record_type: str, payload: bytes) -> Record:
    """The record that a payload of this type holds; BadEncoding unless it is one, to the last byte."""
    if record_type not in _VARIANTS:
        raise BadEncoding("an unknown record type")
    wire = decode(payload)
    if type(wire) is not dict:
        raise BadEncoding("a payload that is not a map")
    problem = _problem(cast(RecordType, record_type), wire)
    if problem is not None:
        raise BadEncoding(f"{record_type}: {problem}")
    shape = SHAPES[cast(RecordType, record_type)]
    return cast(Record, shape.cls(**shape.read(wire)))


def encode_payload(record: Record) -> bytes:
    """The one payload of a record; InvalidRecord if a peer would refuse it."""
    record_type = TYPE_OF[type(record)]
    shape = SHAPES[record_type]
    written = shape.write(record) if shape.write else _plain(record)
    wire = {name: written[name] for name in _by_bytes(written)}
    problem = _problem(record_type, wire)
    if problem is not None:
        raise InvalidRecord(f"{record_type}: {problem}")
    return encode(wire)


def _problem(record_type: RecordType, wire: Fields) -> str | None:
    """What is wrong with the fields, which come in the order of a deterministic map; None if nothing is."""
    rules = _VARIANTS[record_type].get(tuple(wire))
    if rules is None:
        return "an unknown or missing field"
    for name, check in zip(wire, rules, strict=True):
        if not check(wire[name]):
            return f"{name} is not what it must be"
    return SHAPES[record_type].whole(wire)
