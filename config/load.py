"""Merges flags, environment, file and defaults into one frozen `Settings`, and says in a sentence what is wrong.

Precedence: flags, then `MUSIGD_*` variables (sections joined by `__`), then the TOML file, then defaults.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic_settings
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.locations import path_variable
from config.service_variables import is_service_variable, service_variables
from config.settings import Settings, SettingsError, setting_names
from config.text.nearest import nearest
from config.text.problems import sentence_of

ENV_PREFIX = "MUSIGD_"
NOT_SETTINGS = frozenset({"MUSIGD_DATADIR", "MUSIGD_CONFIG"})  # they say where the settings are
FORMER = {"scheme": "every call names the scheme that it means, so take the setting out"}
FILES = ("rpc.tls_cert", "rpc.tls_key", "keys.passphrase_file", "p2p.socks5_login")
SECTIONS = frozenset(name.split(".")[0] for name in setting_names() if "." in name)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One source: values by full name, and where each comes from."""

    values: Mapping[str, Any]
    origins: Mapping[str, str]


def load_settings(*, flags: Mapping[str, Any], file: Path | None, must_exist: bool = False) -> Settings:
    """The effective settings.

    `flags` by full name (`rpc.listen`); None means not given. `file`: the TOML file, which may be missing unless
    `must_exist`. Raises SettingsError: unknown names, unreadable file, values that cannot be used.
    """
    layers = (_from_flags(flags), _from_environment(), _from_file(file, must_exist=must_exist))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in reversed(layers):
        values |= layer.values
        origins |= layer.origins
    _refuse_nul(values, origins)
    try:
        settings = Settings(**_nested(values))
    except ValidationError as error:
        raise SettingsError(*(_sentence(problem, values, origins) for problem in error.errors())) from None
    settings._origins = origins
    settings._ignored = service_variables(os.environ, ENV_PREFIX)
    return settings


def _refuse_nul(values: Mapping[str, Any], origins: Mapping[str, str]) -> None:
    """Refuse NUL, which no name in the system may contain; each system call reports it differently."""
    problems = [
        f"The setting `{name}` ({origins[name]}) holds a NUL character: leave it out."
        for name, value in values.items()
        if any(
            "\0" in text for text in (value if isinstance(value, list | tuple) else (value,)) if isinstance(text, str)
        )
    ]
    if problems:
        raise SettingsError(*problems)


def flag_of(name: str) -> str:
    """How a setting is written on the command line."""
    return "--bootstrap" if name == "p2p.bootstrap" else f"--{name.replace('.', '-').replace('_', '-')}"


def _from_flags(flags: Mapping[str, Any]) -> _Layer:
    given = {name: value for name, value in flags.items() if value is not None}
    _refuse_unknown({name: flag_of(name) for name in given})
    return _Layer(given, {name: f"flag {flag_of(name)}" for name in given})


def _from_environment() -> _Layer:
    _refuse_unknown({_name_of(variable): variable for variable in _variables()}, as_variable=True)
    for name in FILES:  # any other empty variable counts as not set; a file that is not looked for would be missed
        path_variable(variable_of(name), os.environ)
    try:
        source = pydantic_settings.EnvSettingsSource(Settings)()
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"The environment holds a value that cannot be read: {error}.") from None
    values = dict(_flat(source))
    return _Layer(values, {name: f"environment {variable_of(name)}" for name in values})


def _from_file(file: Path | None, *, must_exist: bool) -> _Layer:
    if file is None:
        return _Layer({}, {})
    try:
        content = file.read_bytes()
        values = dict(_flat(tomllib.loads(content.decode("utf-8-sig"))))  # editors on Windows put a mark before it
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and not must_exist:
            return _Layer({}, {})
        raise SettingsError(f"The configuration file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"The configuration file {file} must be UTF-8: byte {error.start} is not.") from None
    except (ValueError, RecursionError) as error:  # of tomllib, or of what it calls
        raise SettingsError(f"The configuration file {file} is no valid TOML: {error}.") from None
    _refuse_unknown({name: f"`{name}` in {file}" for name in values})
    return _Layer(values, dict.fromkeys(values, f"file {file}"))


def _variables() -> list[str]:
    ours = {name: value for name, value in os.environ.items() if name.upper().startswith(ENV_PREFIX)}
    return [
        name
        for name, value in ours.items()
        if name.upper() not in NOT_SETTINGS and not is_service_variable(name, value, ENV_PREFIX)
    ]


def _name_of(variable: str) -> str:
    return variable[len(ENV_PREFIX) :].lower().replace("__", ".")


def variable_of(name: str) -> str:
    """How a setting is written in the environment."""
    return ENV_PREFIX + name.upper().replace(".", "__")


def _refuse_unknown(given: Mapping[str, str], *, as_variable: bool = False) -> None:
    """`given`: full name to how it was written. An unknown setting must not be ignored silently."""
    known = tuple(setting_names())
    problems = []
    for name, written in given.items():
        if name in known:
            continue
        if name in FORMER:
            problems.append(f"The setting {written} is no longer known: {FORMER[name]}.")
            continue
        if name in SECTIONS:
            problems.append(f"The setting {written} is a section: write {_as_section(name, as_variable=as_variable)}.")
            continue
        close = nearest(name, known) or nearest(name.partition(".")[2], [each.partition(".")[2] for each in known])
        meant = next((each for each in known if close in (each, each.partition(".")[2])), None)
        shown = variable_of(meant) if meant is not None and as_variable else meant
        said = "" if shown is None else f": the nearest known one is `{shown}`"
        problems.append(f"Unknown setting {written}{said}; `musigd config show` lists all.")
    if problems:
        raise SettingsError(*problems)


def _as_section(name: str, *, as_variable: bool) -> str:
    example = next(known for known in setting_names() if known.startswith(f"{name}."))
    if as_variable:
        return f"its settings one by one, such as {variable_of(example)}"
    return f"[{name}] and below it its settings, such as `{example.partition('.')[2]} = ...`"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and (prefix or name in SECTIONS):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in values.items():
        section, _, leaf = name.rpartition(".")
        target = nested.setdefault(section, {}) if section else nested
        target[leaf] = value
    return nested


def _sentence(problem: ErrorDetails, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    parts = [str(part) for part in problem["loc"]]
    name = next((found for n in (2, 1) if (found := ".".join(parts[:n])) in values), ".".join(parts[:2]))
    said = sentence_of(problem)
    if name not in values:  # a whole section does not fit together
        return f"The settings of `{name}` do not fit: {said}."
    value = values[name]
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"The setting `{name}` ({origins[name]}) is {shown[:80]!r}: it {said}."
