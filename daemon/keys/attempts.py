"""Slows down passphrase guessing: after three wrong passphrases in a row, each further attempt has to wait."""

from __future__ import annotations

from typing import Final

import structlog

from daemon.clock import Clock
from daemon.keys.errors import TooManyAttempts

log = structlog.get_logger("musigd.keys")
FREE: Final = 3
FIRST_WAIT_MS: Final = 1_000
LONGEST_WAIT_MS: Final = 60_000


class PassphraseAttempts:
    """Wrong passphrases since the last right one. Waits double from 1 s to 60 s; a restart forgets them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong = 0
        self._next_at = 0

    def require_turn(self) -> None:
        """Raises TooManyAttempts while the wait lasts."""
        wait = self._next_at - self._clock.mono_ms()
        if wait > 0:
            raise TooManyAttempts(wait)

    def failed(self) -> None:
        """Count a wrong passphrase."""
        self._wrong += 1
        log.warning("a wrong passphrase was given", in_a_row=self._wrong)  # as rare as attempts are allowed
        if self._wrong >= FREE:
            doublings = min(self._wrong - FREE, 6)
            self._next_at = self._clock.mono_ms() + min(FIRST_WAIT_MS << doublings, LONGEST_WAIT_MS)

    def succeeded(self) -> None:
        """The passphrase was right: start counting again."""
        self._wrong, self._next_at = 0, 0
