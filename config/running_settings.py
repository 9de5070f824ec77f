"""The settings of a running daemon: what reloads have applied, and what the sources say now."""

from __future__ import annotations

from collections.abc import Callable, Collection

from config.settings import Settings, SettingsError
from config.show import EffectiveSetting, changes, compared


class RunningSettings:
    """`current` is what the daemon runs with. `read_again` reads flags, environment and file as at the start."""

    def __init__(self, settings: Settings, read_again: Callable[[], Settings] | None = None) -> None:
        self.current = settings
        self._read_again = read_again

    def read_again(self) -> Settings:
        """The settings that a restart would use. Raises SettingsError."""
        return self.current if self._read_again is None else self._read_again()

    def take_over(self, fresh: Settings, but: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Note what a reload applied: names of the settings that it changed, and of those that need a restart.

        `but`: what it could not apply, which stays.
        """
        changed, waiting = changes(self.current, fresh)
        taken = tuple(name for name in changed if name not in but)
        self.current = self.current.with_those_of(fresh, taken)
        return taken, waiting

    def shown(self) -> tuple[list[EffectiveSetting], str | None]:
        """Every setting, with a waiting value if there is one, and why a restart would fail, if so."""
        try:
            fresh = self.read_again()
        except SettingsError as error:
            return list(compared(self.current, self.current)), " ".join(error.problems)
        return list(compared(self.current, fresh)), None
