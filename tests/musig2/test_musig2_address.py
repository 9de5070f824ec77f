"""Scripts and addresses of aggregate keys."""

import hashlib

import base58
import pytest

from musig2 import SecretKey
from musig2.chain.address import address, address_of_script, key_scripts, script_pubkey
from musig2.tweaks import taptweak_lotus
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
def test_a_malformed_key_has_no_address(name: str, wrong: bytes) -> None:
    assert_names("pubkey", lambda: address(name, wrong, "main"))


G = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


@pytest.mark.parametrize(
    ("script", "network", "expected"),
    [
        ("76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", "main", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"),
        ("a914748284390f9e263a4b766a75d0633c50426eb87587", "main", "3CK4fEwbMP7heJarmU4eqA3sMbVJyEnU3V"),
        ("0014751e76e8199196d454941c45d1b3a323f1433bd6", "main", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            "test",
            "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        ),
        ("76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", "test", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r"),
        ("6a0142", "main", None),
        ("00", "main", None),
        ("", "main", None),
        ("0013751e76e8199196d454941c45d1b3a323f1433b", "main", None),
        ("5214751e76e8199196d454941c45d1b3a323f1433bd6", "main", None),
    ],
)
def test_bitcoin_scripts_of_others_have_the_addresses_of_the_standards(
    script: str, network: str, expected: str | None
) -> None:
    assert address_of_script("bip340", bytes.fromhex(script), network) == expected


def test_lotus_scripts_have_an_address_of_their_type() -> None:
    taproot, _, legacy = key_scripts("lotus", G)
    assert address_of_script("lotus", taproot, "main") == address("lotus", G, "main")
    found = address_of_script("lotus", legacy, "test")
    assert found is not None
    body = base58.b58decode(found[6:])
    assert (found[:6], body[:-4]) == ("lotusT", b"\x00" + legacy)
    assert address_of_script("lotus", taproot + b"\x20" + bytes(32), "main") is None


def test_one_key_is_paid_bare_tweaked_and_by_its_hash() -> None:
    found = [address_of_script("bip340", script, "main") for script in key_scripts("bip340", G)]
    assert found == [
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9",
        "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ]
    assert key_scripts("lotus", G)[1] == script_pubkey("lotus", tweaked_lotus(G))


def tweaked_lotus(pubkey: bytes) -> bytes:
    """P + t*G by the formula of the standard, through the aggregate of a tweaked secret key."""
    t = int.from_bytes(taptweak_lotus(pubkey, None))
    order = int("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
    return SecretKey.from_buffer(bytearray(((1 + t) % order).to_bytes(32))).pubkey


def test_without_ripemd160_a_key_still_has_its_taproot_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, data: bytes = b"") -> None:
        raise ValueError("unsupported hash type ripemd160")

    monkeypatch.setattr("musig2.chain.address.hashlib.new", missing)
    assert [len(script) for script in key_scripts.__wrapped__("bip340", G)] == [34, 34]
