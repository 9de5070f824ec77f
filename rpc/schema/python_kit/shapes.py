"""Results, and the objects inside params and results, as classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rpc.models.wire import LATER
from rpc.schema.python_kit.names import Schema, kinds, member_name, none_last, refs
from rpc.schema.python_kit.source import docstring, file_text
from rpc.schema.words import ABSENT, always_there

_NONE: Final = {"type": "null"}


def is_raw(schema: Schema) -> bool:
    """Whether it stays JSON: it is no object, or has a member that can have no name in Python."""
    return schema.get("type") != "object" or any(not name.isidentifier() for name in schema.get("properties", {}))


def shared_out(sections: Mapping[str, Iterable[Schema]], schemas: Mapping[str, Schema]) -> Mapping[str, Sequence[str]]:
    """Names of schemas by section: each belongs to the first that needs it, behind those it holds."""
    taken: dict[str, None] = {}
    shares: dict[str, list[str]] = {}
    for section, methods in sections.items():
        before = len(taken)
        for method in methods:
            for name in refs([method["params"], method["result"]["schema"]]):
                _take(name, schemas, taken)
        shares[section] = list(taken)[before:]
    return shares


def _take(name: str, schemas: Mapping[str, Schema], taken: dict[str, None]) -> None:
    if name in taken or is_raw(schemas[name]):
        return
    parent = _changed(schemas[name].get("properties", {}), schemas)
    for inner in [*([parent] if parent else []), *refs(schemas[name].get("properties", {}))]:
        _take(inner, schemas, taken)
    taken.setdefault(name)


def models_file(
    section: str, shares: Mapping[str, Sequence[str]], schemas: Mapping[str, Schema], asked: frozenset[str]
) -> str:
    """The text of `models/<section>.py`. `asked`: the schemas in params, where unknown members may travel."""
    raw = frozenset(name for name, schema in schemas.items() if is_raw(schema))
    body = "\n\n".join(_class(name, schemas, raw, open_=name in asked) for name in shares[section])
    own = {f"musigd_client.models.{each}": names for each, names in shares.items() if each != section}
    own["musigd_client.record"] = ["EMPTY", "Record"]
    own["musigd_client.wire"] = ["Inner"]
    return file_text(f"models/{section}.py", f"What calls about {section} take and give.", body, own)


def _class(name: str, schemas: Mapping[str, Schema], raw: frozenset[str], *, open_: bool) -> str:
    schema = schemas[name]
    required = always_there(schema)
    members = schema.get("properties", {})
    parent = _changed(members, schemas)
    doc = " ".join(schema.get("description", name).split())
    lines = [f"class {name}({parent or 'Record'}):", docstring(doc)]
    members = {"seq": members["seq"]} if parent else members
    inner = {each: [one for one in refs(member) if one not in raw] for each, member in members.items()}
    if any(inner.values()):
        told = ", ".join(f'"{each}": {_tuple(names)}' for each, names in inner.items() if names)
        lines.append(f"    _inner: ClassVar[Inner] = {{{told}}}")
    for each, member in members.items():
        lines += _member(each, member, raw, required=each in required)
    if open_ and schema.get("additionalProperties") is True:
        lines.append("    extra: Mapping[str, Any] = EMPTY")
        lines.append('    """any other members, as on the wire"""')
    return "\n".join(lines) + "\n"


def _changed(members: Mapping[str, Any], schemas: Mapping[str, Schema]) -> str | None:
    """The schema that this one is but for `seq`: what a call gives, as another that changes it gives it back."""
    if "seq" not in members:
        return None
    rest = {name: member for name, member in members.items() if name != "seq"}
    return next((name for name, schema in schemas.items() if len(rest) > 1 and schema.get("properties") == rest), None)


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if len(names) > 1 else f"({names[0]},)"


def _member(name: str, member: Schema, raw: frozenset[str], *, required: bool) -> list[str]:
    default = "" if required else _default(member)
    kind = " | ".join(none_last([*kinds(member, "tuple[{}, ...]", raw), *(["None"] if default == "None" else [])]))
    lines = [f"    {member_name(name)}: {kind}" + (f" = {default}" if default else "")]
    said = "; ".join(filter(None, (member.get("description"), ABSENT if member.get(LATER) else None)))
    return lines + ([docstring(said)] if said else [])


def _default(member: Schema) -> str:
    """None, but for an array, which is empty where it is absent, and a word or number that the API gives itself."""
    value: Any = member.get("default")
    if isinstance(value, list | tuple) and not value:
        return "()"
    return repr(value) if isinstance(value, str | int) and _NONE not in member.get("anyOf", ()) else "None"
