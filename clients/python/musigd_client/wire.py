"""Converts between JSON and the records of `musigd_client.models`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from musigd_client.errors import BY_REASON, CallFailed, ClientError
from musigd_client.record import REQUIRED, Record, members_of

if TYPE_CHECKING:
    from typing import TypeAlias

T = TypeVar("T")
Inner: TypeAlias = "Mapping[str, tuple[type[Any], ...]]"  # by name on the wire: the classes of the objects in a member
_KNOWN: Final[dict[type[Any], Mapping[str, str]]] = {}
NO_JSON_RPC: Final = "the server at that address does not speak JSON-RPC; check the URL"


class Absent(Enum):
    """The default of parameters for which None has a meaning."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


def result_of(response: Any) -> Any:
    """The result in a response object.

    Raises CallFailed for an error, and ClientError for anything that is no response.
    """
    if isinstance(response, Mapping):
        if isinstance(response.get("error"), Mapping):
            raise error_of(response["error"])
        if "result" in response:
            return response["result"]
    raise ClientError(NO_JSON_RPC)


def error_of(error: Mapping[str, Any]) -> CallFailed:
    """The exception for an error object: the class of its reason, or CallFailed for a reason of a newer daemon."""
    data = error.get("data")
    details: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    kind = BY_REASON.get(str(details.get("reason")), CallFailed)
    return kind(int(error.get("code", 0)), str(error.get("message", "")), details)


def params_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Params as on the wire, without those that are absent."""
    plain = {name: encoded(value) for name, value in given.items() if value is not None}
    return {name: value for name, value in plain.items() if value is not ABSENT}


def encoded(value: Any) -> Any:
    """JSON of records and sequences. None inside them is left out where it says nothing."""
    if isinstance(value, Record):
        names, members = _wire_names(type(value)), members_of(type(value))
        found = {wire: (getattr(value, name), members[name]) for wire, name in names.items()}
        told = {wire: encoded(one) for wire, (one, default) in found.items() if one is not None or default is REQUIRED}
        return {**told, **encoded(getattr(value, "extra", {}))}
    if isinstance(value, Mapping):
        return {name: encoded(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(one) for one in value]
    return value


def decoded(kind: type[T], said: Any) -> T:
    """A record of `musigd_client.models` from JSON. Unknown members are ignored.

    Raises ClientError where one is missing: the daemon is older than this package.
    """
    if not isinstance(said, Mapping):
        raise ClientError(f"the daemon's answer is not a {kind.__name__}")
    names = _wire_names(kind)
    inner: Inner = getattr(kind, "_inner", {})
    missing = _required(kind) - said.keys()
    if missing:
        lacks = ", ".join(wire for wire in names if wire in missing)
        raise ClientError(f"the daemon's answer, a {kind.__name__}, has no {lacks}: update the daemon")
    return kind(
        **{
            name: _inside(inner[wire], said[wire]) if wire in inner else _frozen(said[wire])
            for wire, name in names.items()
            if wire in said
        }
    )


def _inside(kinds: tuple[type[Any], ...], said: Any) -> Any:
    """Objects, and lists of them. Of several classes it is the first whose required members are all present."""
    if isinstance(said, list):
        return tuple(_inside(kinds, one) for one in said)
    if not isinstance(said, Mapping):
        return said
    return decoded(next((kind for kind in kinds if _required(kind) <= said.keys()), kinds[0]), said)


def _frozen(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said


def _wire_names(kind: type[Any]) -> Mapping[str, str]:
    """The names of the members by those on the wire."""
    if kind not in _KNOWN:
        _KNOWN[kind] = {wire_name(name): name for name in members_of(kind) if name != "extra"}
    return _KNOWN[kind]


def _required(kind: type[Any]) -> set[str]:
    return {wire for wire, name in _wire_names(kind).items() if members_of(kind)[name] is REQUIRED}


def wire_name(name: str) -> str:
    """`public_keys` as `publicKeys`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
