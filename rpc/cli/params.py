"""From `key=value`, `key:=JSON`, `key=@FILE` and `key=-` to params."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from config.text.lists import words_of
from config.text.nearest import did_you_mean
from rpc.cli.api import MethodEntry, Param
from rpc.errors import RpcError

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}.*")
PLACES: Final = frozenset({"datadir", "url", "token-file"})  # options that are mistaken for parameters
MOST_DIGITS: Final = 16  # of 2^53 - 1, the largest number of the API


class UsageError(RpcError):
    """The command line cannot be understood, or holds a secret."""


def params_of(method: MethodEntry, pairs: Sequence[str]) -> dict[str, Any]:
    """The params of a call; raises UsageError for a malformed parameter, and for a secret on the command line."""
    params: dict[str, Any] = {}
    for pair in pairs:
        name, as_json, text = _split(pair, method)
        if name not in method.params:
            known = ", ".join(method.params) or "none"
            guess = did_you_mean(name, method.params) or (f" (did you mean --{name}?)" if name in PLACES else "")
            raise UsageError(f"{method.name} has no parameter {name}{guess}; it takes: {known}")
        if name in params:
            raise UsageError(f"{name} is given twice")
        params[name] = _value(name, method.params[name], text, as_json=as_json)
    return params


def _split(pair: str, method: MethodEntry) -> tuple[str, bool, str]:
    try:
        name, equals, text = os.fsencode(pair).decode("utf-8").partition("=")  # the bytes as given, in any locale
    except UnicodeError as problem:
        raise UsageError("a parameter must be text in UTF-8") from problem
    if not equals or not name:
        known = f"{method.name} takes: {', '.join(method.params) or 'none'}"
        raise UsageError(f"parameters look like key=value, key:=JSON, key=@FILE or key=-, without spaces; {known}")
    return (name[:-1], True, text) if name.endswith(":") else (name, False, text)


def _value(name: str, param: Param, text: str, *, as_json: bool) -> Any:
    if text == "-":
        text = _from_input(name, secret=param.secret)
    elif text.startswith("@"):
        text = _from_file(name, Path(text[1:]))
    elif param.secret:
        raise UsageError(f"{name} is a secret and must not stand on the command line: use {name}=@FILE or {name}=-")
    if as_json:
        return _json(text, f"{name}:= must be followed by JSON; {name}=TEXT takes text as it is")
    return _converted(name, param, text)


def _from_input(name: str, *, secret: bool) -> str:
    if secret and sys.stdin.isatty():
        from getpass import getpass  # noqa: PLC0415  # loads the terminal, which few calls need

        return getpass(f"{name}: ")
    try:
        return sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as problem:
        raise UsageError(f"{name}: standard input must be text in UTF-8") from problem


def _from_file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as problem:
        raise UsageError(f"{name}: cannot read {path} ({problem.strerror})") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{name}: {path} must be text in UTF-8") from problem


def _converted(name: str, param: Param, text: str) -> Any:
    """Text for parameters that are text; whatever else is wanted is read as JSON, and a list of words as such."""
    if param.kind == "text":
        return text
    if param.kind == "time" and _ISO.fullmatch(text):
        return _time(name, text)
    if param.kind == "list" and not text.startswith("["):
        return words_of(text)
    return _json(text, f"{name} must be {param.wanted}")


def _time(name: str, text: str) -> int:
    """Milliseconds since 1970 of a date or time, in UTC where no zone is named."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise UsageError(f"{name}: {text} is no date or time such as 2026-11-27 or 2026-11-27T18:00") from problem
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _json(text: str, otherwise: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_whole)
    except ValueError as problem:
        raise UsageError(otherwise) from problem


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS + 1:  # a minus sign
        raise UsageError(f"a number of {len(digits)} digits is too large: none here has more than {MOST_DIGITS}")
    return int(digits)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
