"""The typed answers of signing against the models that clients read."""

from __future__ import annotations

from rpc.schema.generate_answers import FILE, source


def test_the_answers_file_is_what_the_generator_writes() -> None:
    assert FILE.read_text() == source(), "run python -m rpc.schema.generate_answers"
