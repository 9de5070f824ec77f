"""Every setting does something: a setting that nobody reads is a promise that nobody keeps."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.settings import Settings, setting_names

PROJECT = Path(__file__).parents[2]
SECTIONS = {name: field.annotation for name, field in Settings.model_fields.items()}
READ = re.compile(r"\b(?:settings|current|fresh)\.((?:\w+\.)?\w+)")
FROM_A_SECTION = re.compile(r"\b((?:log|rpc|p2p|keys|limits|store)\.\w+)")  # where one stands in a variable of its name


def read_by_the_daemon() -> set[str]:
    """Settings, and properties of their sections, by the names under which the daemon's code reads them."""
    found: set[str] = set()
    for path in (PROJECT / "daemon").rglob("*.py"):
        found |= set(READ.findall(path.read_text("utf-8")))
    return found | set(FROM_A_SECTION.findall((PROJECT / "daemon" / "limits.py").read_text("utf-8")))


def behind(name: str) -> set[str]:
    """The settings from which a property of a section is made."""
    section, _, leaf = name.partition(".")
    model = SECTIONS.get(section)
    made = getattr(model, leaf, None) if isinstance(model, type) and issubclass(model, BaseModel) else None
    if not isinstance(made, property):
        return set()
    return {f"{section}.{part}" for part in re.findall(r"self\.(\w+)", inspect.getsource(made.fget))}  # type: ignore[arg-type] # it has a getter


@pytest.fixture(scope="module")
def read() -> set[str]:
    direct = read_by_the_daemon()
    return direct.union(*map(behind, direct))


@pytest.mark.parametrize("name", list(setting_names()))
def test_setting_is_read_somewhere(name: str, read: set[str]) -> None:
    assert name in read, f"nothing reads {name}: use it, or take it out of the settings"
