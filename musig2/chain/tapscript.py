"""Script-path spends of a Taproot output (BIP-341, BIP-342): leaves, control blocks, and which key a leaf checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from musig2.chain.transaction import with_size
from musig2.curve import secp
from musig2.curve.hashing import tagged_hash
from musig2.curve.points import parse_pubkey
from musig2.errors import InvalidArgumentError
from musig2.tweaks import taptweak_bip341

TAPSCRIPT: Final = 0xC0  # BIP-342: the leaf version whose rules are known
CODESEPARATOR: Final = 0xAB
NO_CODESEPARATOR: Final = 0xFFFFFFFF
ANNEX_TAG: Final = 0x50
_CHECKS: Final = frozenset((0xAC, 0xAD, 0xBA))  # CHECKSIG, CHECKSIGVERIFY, CHECKSIGADD
_PUSH_SIZES: Final = {0x4C: 1, 0x4D: 2, 0x4E: 4}  # PUSHDATA1, 2, 4
# BIP-342, OP_SUCCESSx: a script with one of these is spent without any signature.
_SUCCESS: Final = frozenset(
    (80, 98, *range(126, 130), *range(131, 135), 137, 138, 141, 142, *range(149, 154), *range(187, 255))
)
_MOST_BRANCHES: Final = 128


@dataclass(frozen=True, slots=True)
class Leaf:
    """One script of a tree."""

    script: bytes
    version: int = TAPSCRIPT

    @property
    def hash(self) -> bytes:
        """BIP-341: hash_TapLeaf(version | compact size | script)."""
        return tagged_hash("TapLeaf", bytes((self.version,)), with_size(self.script))


@dataclass(frozen=True, slots=True)
class SpendPath:
    """How a Bitcoin input is spent, as far as its hash depends on that: annex, leaf, executed OP_CODESEPARATOR.

    `annex` with its first byte, 0x50; `code_separator` is the position among the opcodes of the leaf, counted from 0.
    """

    annex: bytes | None = None
    leaf: Leaf | None = None
    code_separator: int = NO_CODESEPARATOR

    def __post_init__(self) -> None:
        if self.annex is not None and self.annex[:1] != bytes((ANNEX_TAG,)):
            raise InvalidArgumentError("annex", "must begin with the byte 50")
        if not 0 <= self.code_separator <= NO_CODESEPARATOR:
            raise InvalidArgumentError("code_separator", "must fit in 32 bits")


KEY_PATH: Final = SpendPath()


def script_pubkey_of(leaf: Leaf, control_block: bytes) -> bytes:
    """The output script that commits to this leaf as the control block says (BIP-341, script validation rules).

    InvalidArgumentError `control_block` where it commits to nothing.
    """
    size = len(control_block)
    if size < 33 or (size - 33) % 32 or (size - 33) // 32 > _MOST_BRANCHES:
        raise InvalidArgumentError("control_block", "must have 33 bytes and 32 for each branch")
    if control_block[0] & 0xFE != leaf.version:
        raise InvalidArgumentError("control_block", "names another leaf version")
    internal, node = control_block[1:33], leaf.hash
    for at in range(33, size, 32):
        node = tagged_hash("TapBranch", *sorted((node, control_block[at : at + 32])))
    try:
        point = parse_pubkey(b"\x02" + internal)
    except InvalidArgumentError:
        raise InvalidArgumentError("control_block", "holds an internal key that is no point") from None
    if not secp.pubkey_add(point, taptweak_bip341(internal, node)):
        raise InvalidArgumentError("control_block", "leads to the point at infinity")
    output = secp.pubkey_serialize(point)
    if output[0] & 1 != control_block[0] & 1:
        raise InvalidArgumentError("control_block", "names the other parity of the output key")
    return b"\x51\x20" + output[1:]


def leaf_problem(leaf: Leaf, xonly: bytes, code_separator: int) -> str | None:
    """Why this leaf does not check a signature of that key after that OP_CODESEPARATOR; None where it does.

    A check is the key as a push of 32 bytes right before OP_CHECKSIG, OP_CHECKSIGVERIFY or OP_CHECKSIGADD.
    """
    if leaf.version != TAPSCRIPT:
        return "has a leaf version that BIP-342 does not define"
    try:
        ops = list(_opcodes(leaf.script))
    except InvalidArgumentError:
        return "ends inside a push"
    if any(code in _SUCCESS for code, _ in ops):
        return "holds an OP_SUCCESS, so that anybody spends it without a signature"
    after = -1
    if code_separator != NO_CODESEPARATOR:
        if code_separator >= len(ops) or ops[code_separator][0] != CODESEPARATOR:
            return "has no OP_CODESEPARATOR at that position"
        after = code_separator
    checked = any(
        ops[at][1] == xonly and ops[at + 1][0] in _CHECKS and at + 1 > after and _last_separator(ops, at + 1, after)
        for at in range(len(ops) - 1)
    )
    return None if checked else "does not check a signature of the aggregated key there"


def _last_separator(ops: list[tuple[int, bytes | None]], check: int, after: int) -> bool:
    """Whether nothing between that OP_CODESEPARATOR and the check is sure to be executed in its place.

    Inside OP_IF a later one may be skipped, so only a script without branches is held to it.
    """
    if any(code in (0x63, 0x64) for code, _ in ops):
        return True
    return not any(code == CODESEPARATOR for code, _ in ops[after + 1 : check])


def _opcodes(script: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Each opcode, with what it pushes. InvalidArgumentError where the script ends inside a push."""
    at = 0
    while at < len(script):
        code = script[at]
        at += 1
        if not 1 <= code <= 0x4E:
            yield code, None
            continue
        size = code
        if code in _PUSH_SIZES:
            width = _PUSH_SIZES[code]
            size = int.from_bytes(script[at : at + width], "little")
            at += width
        pushed = script[at : at + size]
        at += size
        if at > len(script):
            raise InvalidArgumentError("script", "ends inside a push")
        yield code, pushed
