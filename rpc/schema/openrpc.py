"""The API as an OpenRPC document, made from the table and the models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from rpc import answers
from rpc.caller import Caller, Scope
from rpc.errors import REASONS
from rpc.methods.method import Method
from rpc.methods.table import API_VERSION, METHODS
from rpc.models.event_kinds import EVENTS
from rpc.models.wire import NoParams
from rpc.schema.event_data import MEMBERS, BroadcastClaim, members_of

_REFS = "#/components/schemas/{model}"
_Mode = Literal["validation", "serialization"]


class Description:
    """`rpc.discover` and `getRights`."""

    def __init__(self, version: str) -> None:
        self._version = version

    async def rpc_discover(self, caller: Caller, params: NoParams) -> answers.OpenRpc:
        """The document."""
        return document(self._version)

    async def get_rights(self, caller: Caller, params: NoParams) -> answers.Rights:
        """What the caller may do."""
        answer: answers.Rights = {
            "scopes": [scope.value for scope in Scope if scope in caller.scopes],
            "createKey": caller.create_key,
            "methods": [method.name for method in METHODS.values() if method.allows(caller)],
        }
        if caller.keys is not None:
            answer["publicKeys"] = sorted(key.hex() for key in caller.keys)
        return answer


@lru_cache(maxsize=4)
def document(version: str) -> answers.OpenRpc:
    """The OpenRPC document of this version of the program."""
    schemas = _schemas(METHODS.values())
    return {
        "openrpc": "1.3.2",
        "info": {
            "title": "musigd",
            "version": f"{API_VERSION}",
            "description": f"JSON-RPC 2.0 API of musigd {version}. Params go by name.",
            "license": {"name": "MIT"},
        },
        "methods": [_method(method, schemas) for method in METHODS.values()],
        "components": {"schemas": schemas, "errors": _errors()},
        "x-events": {
            name: {"when": kind.when, "data": list(kind.data), "schema": _event_data(name)}
            for name, kind in EVENTS.items()
        },
    }


def _schemas(methods: Iterable[Method]) -> dict[str, Any]:
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {}
    for method in methods:
        wanted[method.params, "validation"] = None
        wanted[method.result, "validation"] = None
    wanted[BroadcastClaim, "validation"] = None
    _, found = models_json_schema(list(wanted), by_alias=True, ref_template=_REFS)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def changing(api: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the methods that change something: those that take an idempotencyKey, and those that carry a secret.

    Kits repeat the former. Methods that need a WebSocket are left out.
    """
    called = [method for method in api["methods"] if method["x-changes"] and not method["x-websocket-only"]]
    repeatable = [method["name"] for method in called if method["x-idempotent"]]
    return repeatable, [method["name"] for method in called if not method["x-idempotent"]]


def _method(method: Method, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": method.name,
        "summary": method.summary,
        "paramStructure": "by-name",
        "x-params": _REFS.format(model=method.params.__name__),
        "params": _params(method, schemas),
        "result": {"name": "result", "schema": {"$ref": _REFS.format(model=method.result.__name__)}},
        "errors": [{"$ref": f"#/components/errors/{name}"} for name in _errors()],
        "examples": [_example(method)],
        "x-scope": method.scope.value,
        "x-changes": method.changes,
        "x-idempotent": method.idempotent,
        "x-websocket-only": method.websocket,
    }


def _params(method: Method, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    schema = schemas[method.params.__name__]
    required = schema.get("required", ())
    return [
        {"name": name, "required": name in required, "schema": member}
        for name, member in schema.get("properties", {}).items()
    ]


def _example(method: Method) -> dict[str, Any]:
    return {
        "name": f"{method.name} example",
        "params": [{"name": name, "value": value} for name, value in method.example.items()],
        "result": {"name": "result", "value": method.answer},
    }


def _event_data(event: str) -> dict[str, Any]:
    """The data of an event; those who read it keep members that they do not know."""
    present = members_of(event)
    return {
        "type": "object",
        "properties": {name: _event_member(name) for name in present},
        "required": [name for name, always in present.items() if always],
        "additionalProperties": True,
    }


@lru_cache(maxsize=64)
def _event_member(name: str) -> dict[str, Any]:
    kind = MEMBERS[name]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {"$ref": _REFS.format(model=kind.__name__)}
    schema = TypeAdapter(kind).json_schema(by_alias=True, ref_template=_REFS)
    return {word: said for word, said in schema.items() if word != "$defs"}


def _errors() -> dict[str, Any]:
    return {
        f"error{-code}": {"code": code, "message": ", ".join(reasons), "data": {"reason": list(reasons)}}
        for code, reasons in REASONS.items()
    }
