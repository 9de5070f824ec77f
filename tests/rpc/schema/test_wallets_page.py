"""The page for wallet developers: its commands are accepted, and every name in it exists."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from musig2.protocol.records.checks import RecordLimits
from musigd_client import Client
from rpc.calls.params import params_of as checked
from rpc.cli import api
from rpc.cli.params import params_of
from rpc.errors import CODES
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models.event_kinds import EVENTS, GAP, PROGRESS
from rpc.models.open import MAX_DEPTH, MAX_NAME_BYTES, RequestMetadata

PAGE = (Path(__file__).parents[3] / "docs/wallets.md").read_text()
VALUES = {
    "$ALICE": samples.KEY_A,
    "$BOB": samples.KEY_B,
    "$HASH": samples.MESSAGE,
    "$SHOWN": json.dumps(samples.SHOWN).replace('"', '\\"'),
    "$REQUEST": samples.REQUEST,
    "$(uuidgen)": "0b8f3c1e-5d7a-4f62-9c55-2f1f8f1f2f3f",
}


def commands() -> list[str]:
    joined = PAGE.replace("\\\n", " ")
    return re.findall(r"^musig-cli (.*)$", joined, re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_command_of_the_page_is_a_valid_call(command: str) -> None:
    for name, value in VALUES.items():
        command = command.replace(name, value)
    method, *pairs = shlex.split(command, comments=True)
    assert checked(METHODS[method].params, params_of(api.METHODS[method], pairs)) is not None


def test_every_event_method_and_reason_that_the_page_names_exists() -> None:
    words = set(re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)))
    events = {word for each in words for word in re.findall(r"\b[a-z0-9-]+:[a-z-]+\b", each)}
    assert events <= {*EVENTS, GAP, PROGRESS}
    called = {each.split(" {")[0].removesuffix("()") for each in words if re.match(r"[a-z]+[A-Z]\w+( \{|$)", each)}
    known = {*METHODS, *fields_of_the_api()}
    assert called <= known, called - known
    errors = PAGE.partition("## 6. Errors")[2].partition("## 7.")[0]
    rows = [row.partition("|")[0] for row in re.findall(r"^\| (.*)$", errors, re.MULTILINE)[1:]]
    assert {reason for row in rows for reason in re.findall(r"`(\w+)`", row)} <= set(CODES)


def fields_of_the_api() -> set[str]:
    """The members of everything that params and results hold, however deep, and of the data of errors."""
    found: set[type[BaseModel]] = set()
    waiting: list[type[BaseModel]] = [RequestMetadata]
    for method in METHODS.values():
        waiting += [method.params, method.result]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [inner for field in model.model_fields.values() for inner in models_in(field.annotation)]
    names = {str(info.alias) for model in found for info in model.model_fields.values()}
    return names | {"waitingFor", "waitingForCall", "retryAfterMs", "sessionReason", "declineReason", "cancelReason"}


def models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from models_in(part)


def test_program_of_the_page_uses_methods_that_the_client_has() -> None:
    with_client, without, _ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for name in re.findall(r"(?:alice|bob)\.(\w+)\(", with_client):
        assert hasattr(Client, name)
    assert set(re.findall(r'\.call\("(\w+)"', without)) <= set(METHODS)


def test_limits_of_metadata_on_the_page_are_those_of_the_code() -> None:
    section = PAGE.partition("### What metadata may hold")[2].partition("\n## ")[0]
    text = " ".join(section.split())
    assert f"nested {MAX_DEPTH} levels deep; names have 1 to {MAX_NAME_BYTES} bytes" in text
    limits = RecordLimits()
    assert (
        f"at most {_spaced(limits.request_bytes)} bytes, an advertisement {_spaced(limits.advertisement_bytes)}."
        in text
    )
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {str(field.alias) for field in RequestMetadata.model_fields.values()}


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def test_the_page_names_the_calls_that_take_no_idempotency_key() -> None:
    said = " ".join(PAGE.split()).partition("except those with a secret in them:")[2].partition("take none")[0]
    keyless = {name for name, method in METHODS.items() if method.changes and not method.idempotent}
    assert set(re.findall(r"`(\w+)`", said)) == keyless
