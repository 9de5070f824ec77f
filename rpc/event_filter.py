"""Which events a caller sees: those it asked for, of those that concern its keys."""

from __future__ import annotations

from collections.abc import Sequence

from rpc.caller import Caller
from rpc.models.events import EventFilter
from rpc.ports import Event

# About signers in general, not about a key of this daemon: everybody who may look for signers may hear of them.
_PUBLIC = frozenset({"signer:discovered", "signer:withdrawn", "signer:unavailable"})


class Selection:
    """A choice of events. `everything` is True when it lets all of them pass, which most subscribers want."""

    def __init__(
        self, caller: Caller, patterns: Sequence[str] | None = None, narrow: EventFilter | None = None
    ) -> None:
        self._patterns = patterns
        self._narrow = narrow if narrow is not None and narrow != EventFilter() else None
        self._names = frozenset(name for name in patterns or () if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in patterns or () if name.endswith("*"))
        self._keys = None if caller.keys is None else frozenset(key.hex() for key in caller.keys)
        self.everything = patterns is None and self._narrow is None and self._keys is None

    def for_caller(self, caller: Caller) -> Selection:
        """The same choice with the rights the caller has now."""
        return Selection(caller, self._patterns, self._narrow)

    def takes(self, event: Event) -> bool:
        """Whether the event passes."""
        return self.everything or (self._asked(event) and self._concerns(event) and self._allowed(event))

    def _asked(self, event: Event) -> bool:
        if self._patterns is None or event.event in self._names:
            return True
        return bool(self._prefixes) and event.event.startswith(self._prefixes)

    def _concerns(self, event: Event) -> bool:
        narrow, data = self._narrow, event.data
        if narrow is None:
            return True
        return (
            narrow.public_key in (None, data.get("publicKey"), *data.get("publicKeys", ()))
            and narrow.session_id in (None, data.get("sessionId"))
            and narrow.request_id in (None, data.get("requestId"))
        )

    def _allowed(self, event: Event) -> bool:
        if self._keys is None:
            return True
        concerned = event.data.get("publicKeys", ())
        return not self._keys.isdisjoint(concerned) or (not concerned and event.event in _PUBLIC)
