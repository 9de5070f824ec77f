"""The commented sample file: every setting with its meaning, its default, and its other names. Made from the model."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.load import flag_of, variable_of
from config.settings import Settings
from config.show import RELOADABLE, json_value, toml_value

WIDTH: Final = 118
_HEAD: Final = """\
Settings of musigd: every one with its meaning and its default. Printed by `musigd config sample`.

Put what you change into musigd.toml in the data directory, or into a file that --config names. A setting below whose
line begins with # has the value shown there. Flags win over MUSIGD_* variables, these over the file, the file over
defaults; a list in a variable or flag is separated by commas or spaces, or is a JSON array. Names that end in _ms are
milliseconds, those that end in _bytes bytes. `musigd config check` says whether a start would accept the file,
`musigd config show` what a daemon runs with and what waits for a restart.
"""


def sample(flags: Collection[str]) -> str:
    """The text, valid TOML that changes nothing. `flags`: the settings that have a flag on the command line."""
    lines = [*_comment(_HEAD), ""]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            lines += ["", *_comment(kind.__doc__ or ""), f"[{name}]", ""]
            for leaf, inner in kind.model_fields.items():
                lines += _setting(f"{name}.{leaf}", inner, flags)
        else:
            lines += _setting(name, field, flags)
    return "\n".join(lines).rstrip() + "\n"


def _setting(name: str, field: FieldInfo, flags: Collection[str]) -> Iterator[str]:
    assert field.description, f"the setting {name} has no description"
    yield from _comment(field.description)
    also = [variable_of(name), *([flag_of(name)] if name in flags else ())]
    also += ["SIGHUP takes it over"] if name in RELOADABLE else []
    unset = field.default is None
    yield from _comment(f"({', '.join(also)}{'; unset by default' if unset else ''})")
    value = field.examples[0] if unset and field.examples else json_value(field.default)
    yield f"#{name.rpartition('.')[2]} = {toml_value(value)}"
    yield ""


def _comment(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield "#"
        yield from textwrap.wrap(" ".join(paragraph.split()), WIDTH, initial_indent="# ", subsequent_indent="# ")
