"""The strict CBOR subset: each value has one encoding, any other bytes are refused, hostile ones early."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musig2.protocol.errors import BadEncoding, InvalidRecord
from musig2.protocol.records.cbor import MAX_UINT, decode, encode
from tests.protocol.record_strategies import open_values

# From RFC 8949, appendix A, as far as this subset goes.
EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (MAX_UINT, "1b001fffffffffffff"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ((), "80"),
    ((1, 2, 3), "83010203"),
    ((1, (2, 3), (4, 5)), "8301820203820405"),
    (tuple(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({"a": 1, "b": (2, 3)}, "a26161016162820203"),
    (("a", {"b": "c"}), "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
    ({"b": 1, "aa": 2}, "a261620162616102"),
    ({"k" * 24: 0}, "a17818" + "6b" * 24 + "00"),
]

REFUSED = {
    "nothing at all": "",
    "something behind the value": "0000",
    "0 in two bytes": "1800",
    "23 in two bytes": "1817",
    "255 in three bytes": "1900ff",
    "65535 in five bytes": "1a0000ffff",
    "2^32 - 1 in nine bytes": "1b00000000ffffffff",
    "2^53": "1b0020000000000000",
    "2^64 - 1": "1bffffffffffffffff",
    "a number that ends early": "19ff",
    "a reserved length": "1c",
    "minus one": "20",
    "a byte string that ends early": "4300ff",
    "a byte string of 2^53 - 1 bytes": "5b001fffffffffffff",
    "a byte string with a long length": "580161",
    "a byte string of indefinite length": "5f4100ff",
    "text of indefinite length": "7f6161ff",
    "an array of indefinite length": "9f00ff",
    "a map of indefinite length": "bf616100ff",
    "a break": "ff",
    "text that is not UTF-8": "61ff",
    "a surrogate in UTF-8": "63eda080",
    "an overlong slash": "62c0af",
    "a letter and a combining mark (not NFC)": "6375cc88",
    "an array that ends early": "8200",
    "an array of 2^53 - 1 items": "9b001fffffffffffff",
    "a map of 2^53 - 1 pairs": "bb001fffffffffffff",
    "a map without the last value": "a16161",
    "a key that ends early": "a16361",
    "a key of bytes": "a1416100",
    "a key that is a number": "a10000",
    "a key of 25 bytes": "a17819" + "6b" * 25 + "00",
    "a key of 10 bytes with a long length": "a1780a" + "6b" * 10 + "00",
    "a key that is not NFC": "a16375cc8800",
    "the same key twice": "a2616100616100",
    "keys in the wrong order": "a2616200616100",
    "keys in the order of dictionaries, not of lengths": "a262616100616200",
    "undefined": "f7",
    "a simple value": "e0",
    "a simple value in two bytes": "f820",
    "false in two bytes": "f814",
    "half a float": "f90000",
    "a float": "fa47c35000",
    "a double": "fb3ff199999999999a",
    "a tag": "c000",
    "a bignum": "c249010000000000000000",
    "a tag that says it is CBOR": "d9d9f700",
    "seven levels": "81" * 7 + "00",
}


@pytest.mark.parametrize(("value", "encoded"), EXAMPLES, ids=[encoded for _, encoded in EXAMPLES])
def test_examples_of_the_rfc_go_both_ways(value: Any, encoded: str) -> None:
    assert encode(value).hex() == encoded
    assert decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize("encoded", REFUSED.values(), ids=REFUSED)
def test_anything_outside_the_subset_is_refused(encoded: str) -> None:
    with pytest.raises(BadEncoding):
        decode(bytes.fromhex(encoded))


def test_six_levels_are_allowed() -> None:
    assert decode(bytes.fromhex("81" * 6 + "00")) == ((((((0,),),),),),)


@pytest.mark.parametrize("byte", [0x81, 0xA1, 0x9F, 0xBF, 0xC0, 0x82])
def test_a_megabyte_of_nesting_is_refused_at_once(byte: int) -> None:
    with pytest.raises(BadEncoding):
        decode(bytes([byte]) * 1_000_000)


def test_a_megabyte_of_zeros_is_refused_before_it_is_read() -> None:
    flat = bytes.fromhex("9a000fffff") + bytes((1 << 20) - 1)
    nested = bytes.fromhex("990400") + (bytes.fromhex("990400") + bytes(1_024)) * 1_024
    for data in (flat, nested):
        with pytest.raises(BadEncoding, match="more than 65,536 items"):
            decode(data)


def test_a_claimed_length_costs_nothing() -> None:
    for head in ("5b", "7b", "9b", "bb"):
        with pytest.raises(BadEncoding):
            decode(bytes.fromhex(head + "001fffffffffffff"))


@given(open_values())
def test_what_is_encoded_is_decoded_again(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=64))
def test_bytes_are_refused_or_are_the_one_encoding_of_a_value(data: bytes) -> None:
    try:
        value = decode(data)
    except BadEncoding:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "value",
    [
        -1,
        1 << 53,
        1.5,
        {1: 2},
        {"k" * 25: 0},
        "u\u0308",
        {"u\u0308": 0},
        "\ud800",
        Path(),
        [[[[[[[0]]]]]]],
        {"a": {2.0}},
    ],
    ids=repr,
)
def test_what_the_subset_cannot_say_is_not_written(value: Any) -> None:
    with pytest.raises(InvalidRecord):
        encode(value)


def test_the_error_names_the_place() -> None:
    with pytest.raises(InvalidRecord, match=r"metadata\.list\[1\]\.fee must be a number"):
        encode({"metadata": {"list": (0, {"fee": -1})}})
