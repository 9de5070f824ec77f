"""A check that is silenced on a line says there why, unless the line names the reason of the one before."""

from __future__ import annotations

import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SILENCER = re.compile(r"(?:type: ignore(?:\[[^]]*\])?|noqa(?::[ A-Z0-9,]*[0-9])?|fmt: (?:skip|off)|pragma: no \w+)")


def silenced() -> Iterator[tuple[str, str]]:
    """Each comment that silences a check, with its place."""
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=PROJECT, capture_output=True, text=True, check=True)
    for name in files.stdout.splitlines():
        with tokenize.open(PROJECT / name) as source:
            for token in tokenize.generate_tokens(source.readline):
                if token.type == tokenize.COMMENT and SILENCER.search(token.string):
                    yield f"{name}:{token.start[0]}", token.string


def test_every_silenced_check_has_its_reason_beside_it() -> None:
    found = dict(silenced())
    bare = [place for place, comment in found.items() if len(SILENCER.sub("", comment).strip(" #-:,")) < 3]
    assert len(found) > 100
    assert bare == [], "say why, after the pragma"
