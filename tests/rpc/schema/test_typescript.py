"""The generated files of the TypeScript client against the API's description."""

from __future__ import annotations

from rpc.schema.generate_typescript import FOLDER, files
from rpc.schema.typescript import interface


def test_the_generated_files_are_what_the_generator_writes() -> None:
    written = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert written == files(), "run python -m rpc.schema.generate_typescript"


def test_what_a_type_does_not_show_stands_in_a_comment_that_nothing_can_end() -> None:
    amount = {"type": "integer", "minimum": 1, "maximum": 9, "description": "satoshis */ alert()"}
    schema = {"properties": {"x-amount": amount, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    assert interface("Paid", schema, params=True).splitlines() == [
        "export interface Paid {",
        "  /** satoshis * / alert(); integer (1 to 9) */",
        '  "x-amount"?: number;',
        "  note?: string;",
        "}",
    ]
