"""From `key=value`, `key:=JSON`, `key=@FILE` and `key=-` to params."""

from __future__ import annotations

import getpass
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import orjson
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.lists import words_of
from rpc.errors import RpcError
from rpc.methods.method import Method

_WANTED = ((bool, "true or false"), (int, "a whole number"), (tuple, "a list as JSON, or words separated by commas"))


class UsageError(RpcError):
    """The command line cannot be understood, or says something that must not be said there."""


def params_of(method: Method, pairs: Sequence[str]) -> dict[str, Any]:
    """The params of a call; raises UsageError for what is no parameter, and for a secret written in plain."""
    fields = {info.alias or name: info for name, info in method.params.model_fields.items()}
    params: dict[str, Any] = {}
    for pair in pairs:
        name, as_json, text = _split(pair)
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise UsageError(f"{method.name} has no parameter {name}; it takes: {known}")
        if name in params:
            raise UsageError(f"{name} is given twice")
        params[name] = _value(name, fields[name], text, as_json=as_json)
    return params


def is_secret(info: FieldInfo) -> bool:
    """Whether the parameter may not stand on a command line, where other users and the shell's history see it."""
    return SecretStr in _kinds(info.annotation)


def _split(pair: str) -> tuple[str, bool, str]:
    try:
        name, equals, text = os.fsencode(pair).decode("utf-8").partition("=")  # whatever the locale made of it
    except UnicodeError as problem:
        raise UsageError("a parameter holds no text: it must be UTF-8") from problem
    if not equals or not name:
        raise UsageError("parameters look like key=value, key:=JSON, key=@FILE or key=-")
    return (name[:-1], True, text) if name.endswith(":") else (name, False, text)


def _value(name: str, info: FieldInfo, text: str, *, as_json: bool) -> Any:
    if text == "-":
        text = _from_input(name, secret=is_secret(info))
    elif text.startswith("@"):
        text = _from_file(name, Path(text[1:]))
    elif is_secret(info):
        raise UsageError(f"{name} is a secret and must not stand on the command line: use {name}=@FILE or {name}=-")
    if as_json:
        return _json(text, f"{name}:= wants JSON, which this is not; {name}=TEXT takes text as it is")
    return _converted(name, info, text)


def _from_input(name: str, *, secret: bool) -> str:
    if secret and sys.stdin.isatty():
        return getpass.getpass(f"{name}: ")
    try:
        return sys.stdin.buffer.read().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as problem:
        raise UsageError(f"{name}: standard input holds no text (it must be UTF-8)") from problem


def _from_file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as problem:
        raise UsageError(f"{name}: cannot read {path} ({problem.strerror})") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{name}: {path} holds no text (it must be UTF-8)") from problem


def _converted(name: str, info: FieldInfo, text: str) -> Any:
    """Text for parameters that are text; whatever else is wanted is read as JSON, and a list of words as such."""
    kinds = _kinds(info.annotation)
    if str in kinds or SecretStr in kinds:
        return text
    if tuple in kinds and not text.startswith("["):
        return words_of(text)
    wanted = next((said for kind, said in _WANTED if kind in kinds), "an object as JSON")
    return _json(text, f"{name} must be {wanted}")


def _json(text: str, otherwise: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise UsageError(otherwise) from problem


def _kinds(annotation: Any) -> set[Any]:
    """The types a value may have at its top; words of a Literal count as text."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kinds(parts[0])
    if origin in (Union, types.UnionType):
        return {kind for part in parts for kind in _kinds(part)}
    if origin is None:
        return {annotation}
    return {tuple} if origin is tuple else {str}
