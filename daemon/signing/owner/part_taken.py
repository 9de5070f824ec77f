"""Which own keys have a part in a request already, and which may still join it."""

from __future__ import annotations

from typing import Final

from daemon.signing.engine.roster import OpenRequest
from musig2.protocol.blame.endings import Reason
from musig2.protocol.interface.effects import State

STORE_FAILED: Final = Reason.STORE_FAILED.value
HELD_BACK: Final = frozenset(
    {"policy", "locked", STORE_FAILED}
)  # an attempt ended here, and the rules may let the key join again


def taking_part(entry: OpenRequest) -> set[bytes]:
    """The own keys that no rule is asked about again, unless they are held back."""
    rows = entry.machine.latest_rows()
    return {row.key for row in rows if row.state is not State.ABORTED or row.reason not in HELD_BACK}


def ended_by_the_store(entry: OpenRequest) -> bool:
    """Whether the latest attempt of an own key ended because it could not be stored."""
    rows = entry.machine.latest_rows()
    return any(row.state is State.ABORTED and row.reason == STORE_FAILED for row in rows)
