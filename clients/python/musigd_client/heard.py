"""What a follower of events hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

GAP: Final = "events:gap"
PROGRESS: Final = "events:progress"


class HeardEvent(TypedDict):
    """One event, as on the wire. Only `events:gap` has no seq."""

    seq: NotRequired[int]
    event: str
    time: int
    data: dict[str, Any]
