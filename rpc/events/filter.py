"""Which events a caller sees: those it asked for, of those that concern its keys or the types it follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rpc.caller import Caller
from rpc.models.event_kinds import EVENTS, HeardBy
from rpc.models.events import EventFilter
from rpc.ports import Followed, LoggedEvent

# Events that are not simply for callers that may know of one of their keys.
_OTHERS = {name: kind.heard_by for name, kind in EVENTS.items() if kind.heard_by is not HeardBy.KEYS}


@dataclass(frozen=True, slots=True)
class _Narrowed:
    seq: int
    event: str
    time: int
    data: Mapping[str, Any]


class Selection:
    """A selection of events. What its caller follows is read for each event, because it may change."""

    def __init__(
        self,
        caller: Caller,
        followed: Followed,
        patterns: Sequence[str] | None = None,
        narrow: EventFilter | None = None,
    ) -> None:
        self._caller = caller
        self._followed = followed
        self._patterns = patterns
        self._narrow = narrow if narrow is not None and narrow != EventFilter() else None
        self._names = frozenset(name for name in patterns or () if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in patterns or () if name.endswith("*"))
        self._keys = None if caller.keys is None else frozenset(key.hex() for key in caller.keys)
        self._everything = patterns is None and self._narrow is None and self._keys is None

    def for_caller(self, caller: Caller) -> Selection:
        """The same selection with the current rights of the caller."""
        return Selection(caller, self._followed, self._patterns, self._narrow)

    def takes(self, event: LoggedEvent) -> bool:
        """Whether the event passes."""
        heard_by = _OTHERS.get(event.event)
        if heard_by is not None:
            return self._asked(event) and self._concerns(event) and self._hears(event, heard_by)
        return self._everything or (self._asked(event) and self._concerns(event) and self._allowed(event))

    def shown(self, event: LoggedEvent) -> LoggedEvent:
        """The event as this caller may see it: other own keys of this daemon look like those of other signers."""
        keys, named = self._keys, event.data.get("publicKeys", ())
        if keys is None or (keys.issuperset(named) and "request" not in event.data):
            return event
        data = {**event.data, "publicKeys": [key for key in named if key in keys]}
        if "request" in data:
            signers = [{**each, "own": each["publicKey"] in keys} for each in data["request"]["signers"]]
            outside = [each for each in data["request"].get("outsideCriteria", ()) if each["publicKey"] in keys]
            data["request"] = {**data["request"], "signers": signers, "outsideCriteria": outside}
            if "transaction" in data["request"].get("review", ()):
                data["request"]["review"] = _without_others(data["request"]["review"], keys)
        return _Narrowed(event.seq, event.event, event.time, data)

    def _asked(self, event: LoggedEvent) -> bool:
        if self._patterns is None or event.event in self._names:
            return True
        return bool(self._prefixes) and event.event.startswith(self._prefixes)

    def _concerns(self, event: LoggedEvent) -> bool:
        narrow, data = self._narrow, event.data
        if narrow is None:
            return True
        own = data.get("publicKeys", ())
        seen = own if self._keys is None else self._keys.intersection(own)
        return (
            narrow.public_key in (None, data.get("publicKey"), *seen)
            and narrow.session_id in (None, data.get("sessionId"))
            and narrow.request_id in (None, data.get("requestId"))
        )

    def _hears(self, event: LoggedEvent, heard_by: HeardBy) -> bool:
        match heard_by:
            case HeardBy.SIGNERS if not event.data.get("publicKeys"):
                return self._follows(event)
            case HeardBy.SIGNERS | HeardBy.KEYS:
                return self._allowed(event)
            case HeardBy.EVERYBODY:
                return True
            case HeardBy.ADMINS:
                caller = self._caller
                over_all = caller.over_all
                return over_all or event.data.get("tokenId") == caller.token_id

    def _allowed(self, event: LoggedEvent) -> bool:
        return self._keys is None or not self._keys.isdisjoint(event.data.get("publicKeys", ()))

    def _follows(self, event: LoggedEvent) -> bool:
        if event.data.get("sameDaemon") and (self._keys is None or _signer_of(event) in self._keys):
            return False  # other events tell it about its own keys
        return not _types_of(event).isdisjoint(self._followed(self._caller.token_id))


def _without_others(review: Mapping[str, Any], keys: frozenset[str]) -> Mapping[str, Any]:
    """The review for a caller with these keys: outputs to other own keys are those of anybody."""
    outputs = [
        each
        if each.get("publicKey") is None or each["publicKey"] in keys
        else {name: value for name, value in each.items() if name not in ("returns", "publicKey")}
        for each in review["transaction"]["outputs"]
    ]
    return {**review, "transaction": {**review["transaction"], "outputs": outputs}}


def _signer_of(event: LoggedEvent) -> Any:
    return event.data.get("publicKey") or event.data["advertisement"]["publicKey"]


def _types_of(event: LoggedEvent) -> frozenset[str]:
    types: Collection[str]
    match event.data:
        case {"advertisement": {"criteria": {"transactionTypes": types}}} | {"transactionTypes": types}:
            return frozenset(types)
    return frozenset()
