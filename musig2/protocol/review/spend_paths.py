"""How each item is signed, where that is not the key path with the ordinary type: `metadata.spendPaths`.

    [{item, sighashType?, annex?, leafScript?, leafVersion?, controlBlock?, codeSeparator?}]

`item` is the position in `messages`. With `leafScript` and `controlBlock` the item signs for that leaf (BIP-342), and
`codeSeparator` names the last OP_CODESEPARATOR that was executed, by its position among the opcodes. Bytes are
lower-case hex, the annex with its first byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from musig2.chain.tapscript import (
    ANNEX_TAG,
    KEY_PATH,
    NO_CODESEPARATOR,
    TAPSCRIPT,
    Leaf,
    SpendPath,
    leaf_problem,
    script_pubkey_of,
)
from musig2.errors import InvalidArgumentError
from musig2.protocol.records.records import Open
from musig2.protocol.review.shown import Unreadable, hex_of

PATHS: Final = "metadata.spendPaths"
SIGHASH: Final = "metadata.sighashType"
_ONLY_WITH_LEAF: Final = ("leafVersion", "controlBlock", "codeSeparator")


@dataclass(frozen=True, slots=True)
class ItemPath:
    """How one item is signed; `at` is where that is said. `kind` None: the scheme's ordinary sighash type."""

    kind: Open = None
    kind_at: str = SIGHASH
    path: SpendPath = KEY_PATH
    control_block: bytes = b""
    at: str = PATHS

    def leaf_script(self, xonly: bytes) -> bytes:
        """The output script that the leaf belongs to, once it is sure that it checks that key. Raises Unreadable."""
        assert self.path.leaf is not None
        problem = leaf_problem(self.path.leaf, xonly, self.path.code_separator)
        if problem is not None:
            raise Unreadable(f"{self.at}.leafScript", problem)
        try:
            return script_pubkey_of(self.path.leaf, self.control_block)
        except InvalidArgumentError as wrong:
            raise Unreadable(f"{self.at}.controlBlock", wrong.problem) from None


def item_paths(metadata: Mapping[str, Open], items: int) -> Mapping[int, ItemPath]:
    """What is said of single items, by their position. Raises Unreadable where that is not clear."""
    given = metadata.get("spendPaths")
    if given is None:
        return {}
    if type(given) is not tuple:
        raise Unreadable(PATHS, "must be a list with one object for each item that is signed in its own way")
    found: dict[int, ItemPath] = {}
    for index, each in enumerate(given):
        at = f"{PATHS}[{index}]"
        if not isinstance(each, Mapping):
            raise Unreadable(at, "must be an object")
        item = each.get("item")
        if type(item) is not int or not 0 <= item < items:
            raise Unreadable(f"{at}.item", "must be the position of one of messages")
        if item in found:
            raise Unreadable(f"{at}.item", "is named twice")
        found[item] = _read(at, each, metadata.get("sighashType"))
    return found


def _read(at: str, given: Mapping[str, Open], ordinary: Open) -> ItemPath:
    own_kind = given.get("sighashType")
    annex = _bytes(at, given, "annex")
    if annex is not None and annex[:1] != bytes((ANNEX_TAG,)):
        raise Unreadable(f"{at}.annex", "must begin with the byte 50")
    path, control_block = _leaf_path(at, given, annex)
    if own_kind is None:
        return ItemPath(ordinary, SIGHASH, path, control_block, at)
    return ItemPath(own_kind, f"{at}.sighashType", path, control_block, at)


def _leaf_path(at: str, given: Mapping[str, Open], annex: bytes | None) -> tuple[SpendPath, bytes]:
    script, control_block = _bytes(at, given, "leafScript"), _bytes(at, given, "controlBlock")
    if script is None:
        odd = next((name for name in _ONLY_WITH_LEAF if given.get(name) is not None), None)
        if odd is not None:
            raise Unreadable(f"{at}.{odd}", "goes with leafScript")
        return SpendPath(annex), b""
    if control_block is None:
        raise Unreadable(f"{at}.controlBlock", "must be there with leafScript")
    leaf = Leaf(script, _number(at, given, "leafVersion", TAPSCRIPT, 0xFF))
    separator = _number(at, given, "codeSeparator", NO_CODESEPARATOR, NO_CODESEPARATOR)
    return SpendPath(annex, leaf, separator), control_block


def _bytes(at: str, given: Mapping[str, Open], name: str) -> bytes | None:
    value = given.get(name)
    if value is None:
        return None
    raw = hex_of(value)
    if raw is None:
        raise Unreadable(f"{at}.{name}", "must be whole bytes as lower-case hex digits")
    return raw


def _number(at: str, given: Mapping[str, Open], name: str, ordinary: int, most: int) -> int:
    value = given.get(name)
    if value is None:
        return ordinary
    if type(value) is not int or not 0 <= value <= most:
        raise Unreadable(f"{at}.{name}", f"must be a whole number from 0 to {most}")
    return value
