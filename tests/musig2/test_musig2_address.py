"""Scripts and addresses of aggregate keys."""

import hashlib

import base58
import pytest

from musig2.chain.address import address, script_pubkey
from tests.musig2.musig2_world import assert_names, load
from tests.musig2.slow_musig2 import base_mul, encode

BIP86 = bytes.fromhex("02a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c")
BIP341 = bytes.fromhex("0253a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343")
LOTUS = load("lotus/taproot")[0]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (BIP86, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
        (BIP341, "bc1p2wsldez5mud2yam29q22wgfh9439spgduvct83k3pm50fcxa5dps59h4z5"),
    ],
)
def test_bitcoin_addresses_of_the_standards_agree(key: bytes, expected: str) -> None:
    assert address("bip340", key, "main") == expected
    assert script_pubkey("bip340", key) == b"\x51\x20" + key[1:]


def test_the_parity_of_a_bip340_key_is_not_in_its_script() -> None:
    assert script_pubkey("bip340", b"\x03" + BIP86[1:]) == script_pubkey("bip340", BIP86)


@pytest.mark.parametrize(
    ("network", "bitcoin", "lotus"),
    [
        ("main", "bc1p", "lotus_"),
        ("test", "tb1p", "lotusT"),
        ("regtest", "bcrt1p", "lotusR"),
        ("mine", "bcrt1p", "lotusR"),
    ],
)
def test_each_network_has_its_prefix(network: str, bitcoin: str, lotus: str) -> None:
    assert address("bip340", BIP86, network).startswith(bitcoin)
    assert address("lotus", BIP86, network).startswith(lotus)


def test_test_network_addresses_carry_their_own_checksum() -> None:
    assert address("bip340", BIP86, "test") == "tb1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqp3mvzv"
    assert address("lotus", bytes.fromhex(LOTUS["commitment"]), "main") == LOTUS["address"]


@pytest.mark.parametrize(("network", "letter"), [("main", "_"), ("test", "T"), ("regtest", "R"), ("mine", "R")])
def test_a_lotus_checksum_covers_the_letter_of_the_network(network: str, letter: str) -> None:
    made = address("lotus", BIP86, network)
    raw = base58.b58decode(made.removeprefix(f"lotus{letter}"))
    assert raw[:-4] == b"\x02" + BIP86
    assert raw[-4:] == hashlib.sha256(f"lotus{letter}".encode() + raw[:-4]).digest()[:4]


@pytest.mark.parametrize("wrong", ["", "ecdsa", "BIP340"])
def test_an_unknown_scheme_is_refused(wrong: str) -> None:
    assert_names("scheme_name", lambda: script_pubkey(wrong, encode(base_mul(2))))


@pytest.mark.parametrize("wrong", [b"", BIP86[1:], b"\x02" + (5).to_bytes(32)])
@pytest.mark.parametrize("name", ["lotus", "bip340"])
def test_what_is_no_key_has_no_address(name: str, wrong: bytes) -> None:
    assert_names("pubkey", lambda: address(name, wrong, "main"))
