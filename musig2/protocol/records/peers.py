"""Peer identities: ed25519 keys, and the libp2p peer ids that name them.

A peer id holds its public key: the multihash (identity, 36 bytes) of libp2p's protobuf of an ed25519 key. Other kinds
of peer id are refused everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import base58
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

PEER_BYTES: Final = 38
PREFIX: Final = bytes.fromhex("002408011220")  # identity multihash of 36 bytes; key type 1 (ed25519), 32 bytes of key
_LONGEST_TEXT: Final = 64


def peer_of(ed25519_pubkey: bytes) -> bytes:
    """The peer id of a public key; ValueError unless it has 32 bytes."""
    if len(ed25519_pubkey) != 32:
        raise ValueError("an ed25519 public key has 32 bytes")
    return PREFIX + ed25519_pubkey


def ed25519_of(peer: bytes) -> bytes:
    """The public key in a peer id; ValueError unless it is an ed25519 one."""
    if len(peer) != PEER_BYTES or not peer.startswith(PREFIX):
        raise ValueError("not the peer id of an ed25519 key")
    return peer[len(PREFIX) :]


@lru_cache(maxsize=4096)
def peer_text(peer: bytes) -> str:
    """A peer id as people see it: `12D3KooW...`."""
    return base58.b58encode(peer).decode()


def peer_parse(text: str) -> bytes:
    """A peer id from what people write; ValueError unless it is an ed25519 one in base58."""
    try:
        peer = base58.b58decode(text) if len(text) <= _LONGEST_TEXT else b""
    except ValueError:
        peer = b""
    if len(peer) != PEER_BYTES or not peer.startswith(PREFIX) or peer_text(peer) != text:
        raise ValueError("a peer id must be written as 12D3KooW... (an ed25519 key in base58)")
    return peer


def ed25519_verify(pubkey: bytes, msg: bytes, signature: bytes) -> bool:
    """Whether the signature holds (RFC 8032, by the equation without the cofactor; no small-order key, s below L).

    The equation matters: for a key with a part of small order the other one gives another answer, and daemons would
    count each other's records as forged.
    """
    try:
        crypto_sign_open(signature + msg, pubkey)
    except BadSignatureError:
        return False
    return True


class PeerIdentity:
    """The secret half of a peer id, made from its seed of 32 bytes. Signs; never shows the seed."""

    __slots__ = ("_secret", "peer")

    def __init__(self, seed: bytes | bytearray) -> None:
        if len(seed) != 32:
            raise ValueError("the seed of a peer identity has 32 bytes")
        pubkey, self._secret = crypto_sign_seed_keypair(bytes(seed))
        self.peer = peer_of(pubkey)

    def __repr__(self) -> str:
        return f"<PeerIdentity {peer_text(self.peer)}>"

    def sign(self, msg: bytes) -> bytes:
        """An ed25519 signature, 64 bytes."""
        return crypto_sign(msg, self._secret)[:crypto_sign_BYTES]
