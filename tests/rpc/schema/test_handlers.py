"""The Protocols of the handlers against the table of methods."""

from __future__ import annotations

from rpc.methods.table import METHODS
from rpc.schema.generate_handlers import BACKEND, FILE, OWN, source


def test_handlers_file_is_what_the_generator_writes() -> None:
    assert FILE.read_text() == source(), "run python -m rpc.schema.generate_handlers"


def test_every_method_belongs_to_one_group_of_handlers() -> None:
    named = [method.name for methods in (*BACKEND.values(), *OWN.values()) for method in methods]
    assert sorted(named) == sorted(METHODS)
