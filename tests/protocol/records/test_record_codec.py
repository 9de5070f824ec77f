"""Payloads: closed maps, and bounds for every field."""

import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.codec import SHAPES, decode_payload, encode_payload
from musig2.protocol.records.records import TYPE_OF, Decline, Record, RecordType, Withdrawal
from tests.protocol import record_strategies
from tests.protocol.record_strategies import records
from tests.protocol.records_world import ANNA, BEN, NOW, advertisement, digest, every_record, request

RECORDS = every_record()
ORDER = bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
ABSENT = Path("absent")  # equal to no value of a record


def changed(name: str, **fields: Any) -> bytes:
    """The payload of a golden record with other fields, written without looking."""
    wire: Any = dict(decode(encode_payload(RECORDS[name])))  # type: ignore[arg-type]  # a payload is a map
    wire |= fields
    return encode({key: value for key, value in wire.items() if value is not ABSENT})


def type_of(name: str) -> RecordType:
    return TYPE_OF[type(RECORDS[name])]


@given(records())
def test_every_record_is_read_as_it_was_written(record: Record) -> None:
    payload = encode_payload(record)
    again = decode_payload(TYPE_OF[type(record)], payload)
    assert again == record
    assert encode_payload(again) == payload


@pytest.mark.parametrize("name", RECORDS)
def test_an_unknown_field_is_refused(name: str) -> None:
    with pytest.raises(BadEncoding, match="unknown or missing field"):
        decode_payload(type_of(name), changed(name, extra=1))


@pytest.mark.parametrize("name", RECORDS)
def test_no_field_may_be_missing(name: str) -> None:
    shape = SHAPES[type_of(name)]
    for field in shape.rules.keys() - shape.absent:
        with pytest.raises(BadEncoding, match="unknown or missing field"):
            decode_payload(type_of(name), changed(name, **{field: ABSENT}))


@pytest.mark.parametrize("name", RECORDS)
def test_no_field_takes_a_value_of_another_kind(name: str) -> None:
    wire: Any = decode(encode_payload(RECORDS[name]))
    strange: tuple[Any, ...] = (None, True, 0, b"", "", (), {}, ((((),),),), ({},), (0,), ("",))
    for field, value in wire.items():
        for other in (other for other in strange if type(other) is not type(value)):
            if other is None and field in ("election",):
                continue
            with pytest.raises(BadEncoding):
                decode_payload(type_of(name), changed(name, **{field: other}))


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("advertisement", {"scheme": "ecdsa"}),
    ("advertisement", {"pubkey": b"\x04" + bytes(32)}),
    ("advertisement", {"pubkey": bytes(32)}),
    ("advertisement", {"peer": ANNA.peer.peer[:-1]}),
    ("advertisement", {"peer": b"\x12\x20" + bytes(32)}),
    ("advertisement", {"addrs": (b"a",) * 17}),
    ("advertisement", {"addrs": (b"",)}),
    ("advertisement", {"addrs": (bytes(257),)}),
    ("advertisement", {"types": ("swap", "spend")}),
    ("advertisement", {"types": ("spend", "spend")}),
    ("advertisement", {"types": ("Spend",)}),
    ("advertisement", {"types": ("spend\n",)}),
    ("advertisement", {"types": ("",)}),
    ("advertisement", {"types": ("a" * 33,)}),
    ("advertisement", {"types": tuple(f"type-{index:02}" for index in range(33))}),
    ("advertisement", {"min": 2, "max": 1}),
    ("advertisement", {"min": None}),
    ("advertisement", {"trust": {"reputation": 101}}),
    ("advertisement", {"trust": {"fees": 1}}),
    ("advertisement", {"trust": {"requiresVerification": 1}}),
    ("advertisement", {"exp": NOW}),
    ("entry", {"ad": bytes(31)}),
    ("entry", {"exp": NOW - 1}),
    ("request", {"keys": RECORDS["request"].keys[:1], "order": (0,), "creator": RECORDS["request"].keys[0]}),  # type: ignore[union-attr]  # it is one
    ("request", {"keys": RECORDS["request"].keys[::-1]}),  # type: ignore[union-attr]  # it is one
    ("request", {"keys": (ANNA.pubkey, ANNA.pubkey), "order": (0, 1)}),
    ("request", {"keys": tuple(b"\x02" + index.to_bytes(32, "big") for index in range(101))}),
    ("request", {"order": (0, 1, 1)}),
    ("request", {"order": (1, 2, 3)}),
    ("request", {"order": (0, 1)}),
    ("request", {"order": (0, 1, True)}),
    ("request", {"creator": BEN.pubkey[:1] + bytes(32)}),
    ("request", {"items": ()}),
    ("request", {"items": ((digest("a"), (), ANNA.pubkey, None),) * 101}),
    ("request", {"items": ((digest("a"), (), ANNA.pubkey),)}),
    ("request", {"items": ((digest("a"), (), ANNA.pubkey, True),)}),
    ("request", {"items": ((digest("a"), ((0, digest("t")),), ANNA.pubkey, None),)}),
    ("request", {"items": ((digest("a"), ((2, bytes(32)),), ANNA.pubkey, None),)}),
    ("request", {"items": ((digest("a"), ((2, None), (2, None)), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((2, None), (0, digest("t"))), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((0, None),), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((0, bytes(32)),), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((1, ORDER),), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((3, digest("t")),), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((False, digest("t")),), ANNA.pubkey, None),)}),
    ("request", {"expires": NOW}),
    ("request", {"round_ms": 0}),
    ("request", {"round_ms": 1 << 40}),
    ("request", {"max_attempts": 0}),
    ("request", {"max_attempts": 17}),
    ("request", {"salt": bytes(15)}),
    ("request", {"election": ("dice", 1)}),
    ("request", {"election": ("hash-based", 0)}),
    ("request", {"election": ("hash-based",)}),
    ("join", {"attempt": 0}),
    ("join", {"attempt": 17}),
    ("decline", {"reason": "é" * 129}),
    ("message_nonce", {"seq": 0}),
    ("message_nonce", {"seq": 2}),
    ("message_nonce", {"seq": 5}),
    ("message_nonce", {"body": {"joinset": bytes(32), "pubnonces": ()}}),
    ("message_nonce", {"body": {"joinset": bytes(32), "pubnonces": (bytes(65),)}}),
    ("message_nonce", {"body": {"joinset": bytes(32), "pubnonces": (bytes(66),) * 101}}),
    ("message_nonce", {"body": {"joinset": bytes(32), "pubnonces": (bytes(66),), "more": 1}}),
    ("message_partial", {"body": {"nonceset": bytes(32), "psigs": (bytes(33),)}}),
    ("message_abort", {"body": {"reason": "", "scope": "all", "missing": (), "evidence": ()}}),
    ("message_abort", {"body": {"reason": "", "scope": "request", "missing": (bytes(33),), "evidence": ()}}),
    ("message_abort", {"body": {"reason": "", "scope": "request", "missing": (), "evidence": (b"x",) * 9}}),
    ("message_abort", {"body": {"reason": "", "scope": "request", "missing": (), "evidence": (b"",)}}),
    ("message_abort", {"body": {"reason": "", "scope": "request", "missing": (), "evidence": (bytes(16_385),)}}),
    ("message_done", {"body": {"txid": bytes(33)}}),
    ("node", {"roles": ("b", "a")}),
    ("notice", {"tags": ()}),
    ("notice", {"tags": (bytes(7),)}),
    ("notice", {"tags": (bytes(8),) * 101}),
    ("notice", {"salt": bytes(17)}),
]


@pytest.mark.parametrize(("name", "fields"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_value_out_of_bounds_is_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BadEncoding):
        decode_payload(type_of(name), changed(name, **fields))


ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ("advertisement", {"min": ABSENT}),
    ("advertisement", {"max": ABSENT}),
    ("advertisement", {"min": 7, "max": 7}),
    ("advertisement", {"addrs": (bytes(256),) * 16}),
    ("advertisement", {"metadata": {"deep": ((({"x": 1},),),)}}),
    ("decline", {"reason": "é" * 128}),
    ("request_bip340", {"items": ((digest("a"), ((2, bytes(32)),), ANNA.pubkey, None),)}),
    ("request_bip340", {"items": ((digest("a"), ((1, (int.from_bytes(ORDER) - 1).to_bytes(32)),), ANNA.pubkey, 0),)}),
]


@pytest.mark.parametrize(("name", "fields"), ALLOWED, ids=lambda value: str(value)[:60])
def test_a_value_at_its_bound_is_read_and_written_again(name: str, fields: dict[str, Any]) -> None:
    payload = changed(name, **fields)
    assert encode_payload(decode_payload(type_of(name), payload)) == payload


def test_both_keys_of_one_x_are_refused_under_bip340_only() -> None:
    pair = (b"\x02" + ANNA.pubkey[1:], b"\x03" + ANNA.pubkey[1:])
    fields: dict[str, Any] = {"keys": pair, "order": (0, 1), "creator": pair[0]}
    assert decode_payload("request", changed("request", **fields))
    with pytest.raises(BadEncoding, match="differ in x"):
        decode_payload("request", changed("request_bip340", **fields))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(BadEncoding, match="unknown record type"):
        decode_payload("advertisement/v2", encode_payload(RECORDS["advertisement"]))


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x00", b"\xf6", b"\xa0"], ids=bytes.hex)
def test_a_payload_is_a_map(payload: bytes) -> None:
    for record_type in RecordType:
        with pytest.raises(BadEncoding):
            decode_payload(record_type, payload)


def test_a_value_that_peers_refuse_is_not_written() -> None:
    for record in (
        advertisement(types=("b", "a")),
        advertisement(metadata={"fees": -1}),
        advertisement(metadata={"fee": 0.5}),
        advertisement(metadata={"a": (((((1,),),),),)}),
        replace(request(), order=(0, 1, 1)),
        Withdrawal("lotus", ANNA.pubkey, -1),
        Decline("lotus", digest("request"), ANNA.pubkey, "\ud800" * 80, NOW),
    ):
        with pytest.raises(InvalidRecord):
            encode_payload(record)


@settings(max_examples=30)
@given(records())
def test_an_open_map_keeps_unknown_fields(record: Record) -> None:
    again: Any = decode_payload(TYPE_OF[type(record)], encode_payload(record))
    assert getattr(again, "metadata", None) == getattr(record, "metadata", None)


@pytest.mark.parametrize("cls", TYPE_OF)
def test_the_fuzzer_makes_every_record(cls: type) -> None:
    assert re.search(rf"\b{cls.__name__}\b,|\({cls.__name__}\b", inspect.getsource(record_strategies))
