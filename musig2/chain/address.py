"""Output scripts and addresses of an aggregate key, on both chains and their test networks."""

import hashlib
from typing import Final

import base58

from musig2.curve.points import parse_pubkey
from musig2.errors import InvalidArgumentError

_LOTUS_NETWORKS: Final = {"main": "_", "test": "T"}
_LOTUS_WITH_STATE: Final = 69  # lotusd, script/taproot.h: TAPROOT_SIZE_WITH_STATE
_PUSH_32: Final = b"\x20"
_LOTUS_TAPROOT: Final = 2  # the address type of a 33-byte commitment
_BITCOIN_PREFIXES: Final = {"main": "bc", "test": "tb"}
_BECH32_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M: Final = 0x2BC830A3


def script_pubkey(scheme_name: str, aggpubkey: bytes) -> bytes:
    """The output script that pays to an aggregate key, its tweaks included.

    `lotus`: OP_SCRIPTTYPE OP_1 <33-byte commitment>; `bip340`: OP_1 <32-byte x> (BIP-341).
    """
    parse_pubkey(aggpubkey)
    match scheme_name:
        case "lotus":
            return b"\x62\x51\x21" + aggpubkey
        case "bip340":
            return b"\x51\x20" + aggpubkey[1:]
    raise InvalidArgumentError("scheme_name", "must be lotus or bip340")


def pays_to(scheme_name: str, aggpubkey: bytes, script: bytes) -> bool:
    """Whether an output script is that of this aggregate key, so that the key path spends it.

    A Lotus output may carry 32 bytes of state after the commitment; the key path does not look at them.
    """
    plain = script_pubkey(scheme_name, aggpubkey)
    if script == plain:
        return True
    return scheme_name == "lotus" and len(script) == _LOTUS_WITH_STATE and script.startswith(plain + _PUSH_32)


def address(scheme_name: str, aggpubkey: bytes, network: str) -> str:
    """The address of that script. `network` is `main`, `test`, or any other name for a regtest-like network."""
    script = script_pubkey(scheme_name, aggpubkey)
    if scheme_name == "lotus":
        return _lotus_address(script[3:], _LOTUS_NETWORKS.get(network, "R"))
    return _segwit_v1_address(script[2:], _BITCOIN_PREFIXES.get(network, "bcrt"))


def _lotus_address(commitment: bytes, network: str) -> str:
    """`lotus` | network | base58(type | commitment | 4 bytes of SHA256 over all of these)."""
    body = bytes((_LOTUS_TAPROOT,)) + commitment
    checksum = hashlib.sha256(b"lotus" + network.encode() + body).digest()[:4]
    return f"lotus{network}{base58.b58encode(body + checksum).decode()}"


def _segwit_v1_address(program: bytes, prefix: str) -> str:
    """BIP-350 (bech32m), witness version 1, a program of 32 bytes."""
    number = int.from_bytes(program) << 4  # 256 bits, padded to 52 groups of 5
    data = [1] + [number >> (5 * place) & 31 for place in range(51, -1, -1)]
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    remainder = _bech32_polymod([*expanded, *data, 0, 0, 0, 0, 0, 0]) ^ _BECH32M
    checksum = [remainder >> (5 * place) & 31 for place in range(5, -1, -1)]
    return f"{prefix}1{''.join(_BECH32_ALPHABET[value] for value in data + checksum)}"


def _bech32_polymod(values: list[int]) -> int:
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            remainder ^= generator if top >> bit & 1 else 0
    return remainder
