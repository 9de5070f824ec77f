"""Errors of the settings and of the locations they name."""

from __future__ import annotations


class SettingsError(Exception):
    """The settings cannot be used. The text is one sentence; `problems` holds one for each thing found."""

    exit_code = 2

    def __init__(self, *problems: str) -> None:
        super().__init__(problems[0])
        self.problems = problems
