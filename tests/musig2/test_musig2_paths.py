"""Arguments of spend paths that can be no path, secrets of any length, and aggregation past the cache."""

import pytest

from musig2 import scheme
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.tapscript import NO_CODESEPARATOR, Leaf, SpendPath, script_pubkey_of
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.curve.memory import LockedBuffer, wipe_bytes
from musig2.errors import InvalidArgumentError

P1 = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
P2 = bytes.fromhex("02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5")


@pytest.mark.parametrize("annex", [b"", b"\x51", b"annex"])
def test_an_annex_begins_with_its_byte(annex: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="must begin with the byte 50"):
        SpendPath(annex=annex)


@pytest.mark.parametrize("position", [-1, NO_CODESEPARATOR + 1])
def test_the_position_of_a_code_separator_fits_in_32_bits(position: int) -> None:
    with pytest.raises(InvalidArgumentError, match="must fit in 32 bits"):
        SpendPath(code_separator=position)


def test_an_internal_key_that_is_no_point_commits_to_nothing() -> None:
    leaf = Leaf(b"\x51")
    with pytest.raises(InvalidArgumentError, match="no point"):
        script_pubkey_of(leaf, bytes((leaf.version,)) + b"\xff" * 32)


def test_an_output_key_at_infinity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can find such a leaf: the tweak is a hash of the key that it would have to cancel."""
    leaf = Leaf(b"\x51")
    monkeypatch.setattr("musig2.chain.tapscript.secp.pubkey_add", lambda point, tweak: False)
    with pytest.raises(InvalidArgumentError, match="point at infinity"):
        script_pubkey_of(leaf, bytes((leaf.version,)) + P1[1:])


def test_lotus_knows_the_key_path_only() -> None:
    transaction = Transaction(version=2, inputs=(TxInput(bytes(32), 0),), outputs=(TxOutput(1, b""),))
    spend = KeyPathSpend(transaction, [TxOutput(2, b"")])
    with pytest.raises(InvalidArgumentError, match="neither annex nor leaf"):
        spend.sighash("lotus", 0, path=SpendPath(annex=b"\x50"))


@pytest.mark.parametrize("name", ["lotus", "bip340"])
def test_keys_aggregate_to_the_same_past_the_cache(name: str) -> None:
    found = scheme(name)
    assert found.key_agg_once([P1, P2]).aggpubkey == found.key_agg([P1, P2]).aggpubkey


def test_a_secret_of_any_length_is_wiped_and_never_shown() -> None:
    buffer = LockedBuffer(5)
    buffer.view[:] = b"horse"
    whole = buffer.view
    buffer.shorten(3)
    assert bytes(buffer.view) == b"hor"
    assert repr(buffer) == "<LockedBuffer>"
    buffer.wipe()
    assert bytes(whole) == b"\0\0\0se"
    whole[:] = bytes(5)
    assert len(LockedBuffer(0).view) == 0


def test_bytes_are_wiped_in_place_and_shared_ones_left_alone() -> None:
    secret, shared = bytes(bytearray(b"horse")), b"h"
    wipe_bytes(secret)
    wipe_bytes(shared)
    assert (secret, shared) == (bytes(5), b"h")
