"""Ids of records, sessions and peers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musig2 import tagged_hash
from musig2.protocol.records import ids
from musig2.protocol.records.peers import PeerIdentity, ed25519_of, ed25519_verify, peer_of, peer_parse, peer_text
from tests.protocol.records_world import ANNA, BEN, digest

# RFC 8032, section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBKEY = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_peer_signs_as_rfc_8032_says() -> None:
    peer = PeerIdentity(SEED)
    assert ed25519_of(peer.peer) == PUBKEY
    assert peer.sign(b"\x72") == SIGNATURE
    assert ed25519_verify(PUBKEY, b"\x72", SIGNATURE)
    assert not ed25519_verify(PUBKEY, b"\x73", SIGNATURE)


def test_a_key_of_small_order_signs_nothing() -> None:
    assert not ed25519_verify(b"\x01" + bytes(31), b"anything", b"\x01" + bytes(63))
    assert not ed25519_verify(bytes(32), b"anything", bytes(64))


def test_a_signature_has_no_twin() -> None:
    order = (1 << 252) + 27742317777372353535851937790883648493
    twin = SIGNATURE[:32] + (int.from_bytes(SIGNATURE[32:], "little") + order).to_bytes(32, "little")
    assert not ed25519_verify(PUBKEY, b"\x72", twin)


def test_a_peer_id_is_the_one_that_libp2p_makes_of_the_key() -> None:
    peer = PeerIdentity(bytes(32)).peer
    assert peer.hex() == "0024080112203b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
    assert peer_text(peer) == "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@given(st.binary(min_size=32, max_size=32))
def test_a_peer_id_goes_to_text_and_back(key: bytes) -> None:
    assert peer_parse(peer_text(peer_of(key))) == peer_of(key)
    assert ed25519_of(peer_of(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXT",
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN1",
        " 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXT0",
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
        "16Uiu2HAm9JUvmRkNQmnNqNNmqBbHJT8wnFQM4zdgr2xnbWHQmEv5",
        "12D3Koo\u00f6",
        "1" * 10_000,
    ],
)
def test_what_is_no_ed25519_peer_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="12D3KooW"):
        peer_parse(text)


@pytest.mark.parametrize("peer", [b"", bytes(38), ANNA.peer.peer + b"\0", b"\x12\x20" + bytes(32)], ids=bytes.hex)
def test_other_kinds_of_peer_have_no_key_here(peer: bytes) -> None:
    with pytest.raises(ValueError, match="not the peer id"):
        ed25519_of(peer)


def test_a_seed_is_never_shown() -> None:
    peer = PeerIdentity(SEED)
    assert repr(peer) == f"<PeerIdentity {peer_text(peer.peer)}>"
    assert SEED.hex() not in repr(peer)
    assert not hasattr(peer, "__dict__")


def test_ids_are_the_tagged_hashes_that_the_protocol_says() -> None:
    name = tagged_hash("musigd/lotus/request/v1", b"payload")
    assert ids.record_id("lotus", "request", b"payload") == name
    session = ids.session_id(name, 3)
    assert session == tagged_hash("musigd/session/v1", name + bytes([0, 0, 0, 3]))
    joins = [digest("a"), digest("b")]
    joinset = ids.joinset(session, joins)
    assert joinset == tagged_hash("musigd/joinset/v1", session + joins[0] + joins[1])
    nonces = [[b"a" * 66, b"b" * 66], [b"c" * 66, b"d" * 66]]
    flat = b"".join(nonces[0] + nonces[1])
    assert ids.nonceset(joinset, nonces) == tagged_hash("musigd/nonceset/v1", joinset + flat)
    assert ids.tag_of(BEN.pubkey, b"salt") == tagged_hash("musigd/tag/v1", BEN.pubkey + b"salt")[:8]
    assert ids.hub_rank(name, 258) == tagged_hash("musigd/hub/v1", name + bytes([0, 0, 1, 2]))


def test_every_attempt_is_a_session_of_its_own() -> None:
    assert len({ids.session_id(digest("request"), attempt) for attempt in range(1, 17)}) == 16


# The key 12345 * B + T, T of order 8. Each signature makes 8sB = 8R + 8kA true; sB = R + kA only where 8 divides k.
MIXED_ORDER = bytes.fromhex("40a4cf5c611d737a2f1c6fcca84d9cabfed80987f186a5a6c57e629bff1af27f")
WITH_COFACTOR_ONLY = (
    "49a952edb48c7da2f21d414b599effb38939769dbbe12d83a9a1496f81d85677"
    "11433a17411ba2154c53fd728125ee6d039ac7be6707d6f58bace609599e440d"
)
WITHOUT_COFACTOR_TOO = (
    "b3167e1b8bd4ab7d9858f81f3caacf60f0f6d4934f91be52ca4ea72885df4d8d"
    "75cb6de371e76d0f38dc95a16efafe797667e6cf69d7a16bb9dc58fc68e2ba05"
)


def test_signatures_are_judged_without_the_cofactor_so_that_all_daemons_agree_on_keys_of_mixed_order() -> None:
    """Another libsodium that answers otherwise would split the network: it must be noticed here."""
    assert not ed25519_verify(MIXED_ORDER, b"\x00" * 32, bytes.fromhex(WITH_COFACTOR_ONLY))
    assert ed25519_verify(MIXED_ORDER, b"\x01" * 32, bytes.fromhex(WITHOUT_COFACTOR_TOO))
