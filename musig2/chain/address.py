"""Output scripts and addresses, of an aggregate key and of others, on both chains and their test networks."""

import hashlib
from functools import lru_cache
from typing import Final

import base58

from musig2.curve import secp
from musig2.curve.points import parse_pubkey
from musig2.errors import InvalidArgumentError
from musig2.tweaks import taptweak_bip341, taptweak_lotus

_LOTUS_NETWORKS: Final = {"main": "_", "test": "T"}
_LOTUS_WITH_STATE: Final = 69  # lotusd, script/taproot.h: TAPROOT_SIZE_WITH_STATE
_PUSH_32: Final = b"\x20"
_LOTUS_TAPROOT: Final = 2  # the address type of a 33-byte commitment
_LOTUS_SCRIPT: Final = 0  # that of a script
_BITCOIN_PREFIXES: Final = {"main": "bc", "test": "tb"}
_BASE58_VERSIONS: Final = {"main": (0x00, 0x05)}  # of key hashes and script hashes
_TEST_VERSIONS: Final = (0x6F, 0xC4)
_BECH32_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32: Final = 1  # BIP-173, witness version 0
_BECH32M: Final = 0x2BC830A3  # BIP-350, later ones
_WITNESS_SIZES: Final = {0: (20, 32), 1: (32,)}


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
    found = address_of_script(scheme_name, script_pubkey(scheme_name, aggpubkey), network)
    assert found is not None, "these scripts have one"
    return found


@lru_cache(maxsize=512)
def address_of_script(scheme_name: str, script: bytes, network: str) -> str | None:
    """The address that pays to an output script; None where it has none.

    Bitcoin: key hash, script hash, witness versions 0 and 1. Lotus: Taproot without state, key hash, script hash.
    """
    if scheme_name == "lotus":
        return _lotus_script_address(script, _LOTUS_NETWORKS.get(network, "R"))
    hashed = _hash_in(script)
    if hashed is not None:
        prefix = _BASE58_VERSIONS.get(network, _TEST_VERSIONS)[hashed[0]]
        return base58.b58encode_check(bytes((prefix,)) + hashed[1]).decode()
    version, size = _witness_version(script), len(script) - 2
    if version is None or script[1] != size or size not in _WITNESS_SIZES[version]:
        return None
    return _segwit_address(version, script[2:], _BITCOIN_PREFIXES.get(network, "bcrt"))


@lru_cache(maxsize=512)
def key_scripts(scheme_name: str, pubkey: bytes) -> tuple[bytes, ...]:
    """The output scripts that one key alone spends: Taproot (bare, and tweaked with no scripts), key hash, and on
    Bitcoin witness key hash."""
    if scheme_name == "lotus":
        tweaked = _tweaked(parse_pubkey(pubkey), taptweak_lotus(pubkey, None))
    else:
        tweaked = _tweaked(parse_pubkey(b"\x02" + pubkey[1:]), taptweak_bip341(pubkey[1:], None))
    scripts = (script_pubkey(scheme_name, pubkey), script_pubkey(scheme_name, tweaked))
    return scripts + _key_hash_scripts(scheme_name, pubkey)


def _key_hash_scripts(scheme_name: str, pubkey: bytes) -> tuple[bytes, ...]:
    """None where this machine's OpenSSL was built without RIPEMD-160."""
    try:
        key_hash = hashlib.new("ripemd160", hashlib.sha256(pubkey).digest()).digest()
    except ValueError:
        return ()
    legacy = b"\x76\xa9\x14" + key_hash + b"\x88\xac"
    return (legacy,) if scheme_name == "lotus" else (legacy, b"\x00\x14" + key_hash)


def _tweaked(point: secp.Point, tweak: bytes) -> bytes:
    secp.pubkey_add(point, tweak)  # a hash that leads to infinity is as likely as finding the private key
    return secp.pubkey_serialize(point)


def _hash_in(script: bytes) -> tuple[int, bytes] | None:
    """The 20 bytes in a key hash (0) or script hash (1) script."""
    if len(script) == 25 and script.startswith(b"\x76\xa9\x14") and script.endswith(b"\x88\xac"):
        return 0, script[3:23]
    if len(script) == 23 and script.startswith(b"\xa9\x14") and script.endswith(b"\x87"):
        return 1, script[2:22]
    return None


def _witness_version(script: bytes) -> int | None:
    return {0x00: 0, 0x51: 1}.get(script[0]) if len(script) > 2 else None


def _lotus_script_address(script: bytes, network: str) -> str | None:
    """`lotus` | network | base58(type | payload | 4 bytes of SHA256 over all of these)."""
    if len(script) == 36 and script.startswith(b"\x62\x51\x21"):
        body = bytes((_LOTUS_TAPROOT,)) + script[3:]
    elif _hash_in(script) is not None:
        body = bytes((_LOTUS_SCRIPT,)) + script
    else:
        return None
    checksum = hashlib.sha256(b"lotus" + network.encode() + body).digest()[:4]
    return f"lotus{network}{base58.b58encode(body + checksum).decode()}"


def _segwit_address(version: int, program: bytes, prefix: str) -> str:
    """BIP-173 and BIP-350: groups of 5 bits, padded with zero bits at the end."""
    groups = -(-len(program) * 8 // 5)
    number = int.from_bytes(program) << (5 * groups - 8 * len(program))
    data = [version] + [number >> (5 * place) & 31 for place in range(groups - 1, -1, -1)]
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    constant = _BECH32M if version else _BECH32
    remainder = _bech32_polymod([*expanded, *data, 0, 0, 0, 0, 0, 0]) ^ constant
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
