"""Converts values of clients to those of the program, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from musig2 import InvalidArgumentError, MusigError, Tweak, TweakKind
from musig2.protocol.records.records import Open
from rpc import answers
from rpc.errors import ApiError, invalid_key
from rpc.models.transactions import tweaks as wire


def pubkeys_of(keys: Iterable[str]) -> tuple[bytes, ...]:
    """Public keys in the order given."""
    return tuple(bytes.fromhex(key) for key in keys)


def tweak_of(tweak: wire.TaprootTweak | wire.PlainTweak) -> Tweak:
    """One tweak; raises `musig2.MusigError` for a scalar out of range."""
    match tweak:
        case wire.TaprootTweak(taproot_merkle_root=None):
            return Tweak(TweakKind.TAPROOT)
        case wire.TaprootTweak(taproot_merkle_root=str(root)):
            return Tweak(TweakKind.TAPROOT, bytes.fromhex(root))
        case wire.PlainTweak():
            kind = TweakKind.XONLY if tweak.x_only else TweakKind.PLAIN
            return Tweak(kind, bytes.fromhex(tweak.tweak))
    raise AssertionError("the models know no other tweak")


def tweaks_of(tweaks: Iterable[wire.TaprootTweak | wire.PlainTweak]) -> tuple[Tweak, ...]:
    """All tweaks of one message, in order; raises `musig2.InvalidArgumentError` that names the one out of range."""
    found = []
    for index, tweak in enumerate(tweaks):
        try:
            found.append(tweak_of(tweak))
        except InvalidArgumentError as problem:
            raise InvalidArgumentError(f"tweaks[{index}].tweak", problem.problem) from problem
    return tuple(found)


def not_a_point(path: str, key: str) -> ApiError:
    """The refusal of a public key that has the right form and is no point."""
    return invalid_key(path, "is not a point of the curve; check the key", publicKey=key)


def not_combined(problem: MusigError, keys: str, item: str = "") -> ApiError:
    """The refusal of keys and tweaks that do not aggregate. `keys`: path of the keys; `item`: of the tweaks' item."""
    if isinstance(problem, InvalidArgumentError) and problem.argument.startswith("tweaks"):
        return invalid_key(f"{item}.{problem.argument}" if item else problem.argument, problem.problem)
    return invalid_key(keys, f"cannot be combined: {problem}")


def tweak_to_json(kind: int, value: bytes | None) -> answers.TaprootTweak | answers.PlainTweak:
    """A tweak as clients see it, from its kind (0 plain, 1 x-only, 2 taproot) and value."""
    if kind == TweakKind.TAPROOT:
        return {"taprootMerkleRoot": None if value is None else value.hex()}
    assert value is not None
    return {"tweak": value.hex(), "xOnly": kind == TweakKind.XONLY}


def open_of(value: Any) -> Open:
    """Metadata as the records hold it, from JSON that the models have checked."""
    if isinstance(value, Mapping):
        return {name: open_of(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(open_of(item) for item in value)
    assert value is None or isinstance(value, int | str | bool)
    return value
