"""The Python kit against the description of the API."""

from __future__ import annotations

from rpc.errors import REASONS
from rpc.schema.openrpc import document
from rpc.schema.python_kit.__main__ import files
from rpc.schema.python_kit.names import snake
from rpc.schema.python_kit.source import KIT


def test_the_kit_is_what_the_description_of_the_api_says() -> None:
    for path, text in files().items():
        assert (KIT / path).read_text() == text, f"{path}: run make generate"


def test_every_name_of_the_api_is_found_again_from_its_name_in_python() -> None:
    from musigd_client.wire import wire_name

    schemas = document("0")["components"]["schemas"]
    names = {name for schema in schemas.values() for name in schema.get("properties", {}) if name.isidentifier()}
    assert {wire_name(snake(name)) for name in names} == names


def test_every_reason_has_a_class_of_its_own_with_its_code() -> None:
    from musigd_client.wire import error_of

    for code, reasons in REASONS.items():
        for reason in reasons:
            error = error_of({"code": code, "message": "no", "data": {"reason": reason}})
            assert (type(error).__name__.lower(), error.code) == (reason.replace("_", ""), code)
