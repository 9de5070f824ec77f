"""Every method of the API as a method of the kit, asynchronous and synchronous, and the errors by reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rpc.schema.python_kit.names import RAW, Schema, argument_name, class_name, kinds, none_last, snake
from rpc.schema.python_kit.shapes import is_raw
from rpc.schema.python_kit.source import docstring, file_text
from rpc.schema.words import kind_of

ASKS = {"methods": ("async def", "await self._ask"), "sync": ("def", "self._ask")}


def methods_file(
    face: str,
    section: str,
    methods: Iterable[Schema],
    shares: Mapping[str, Sequence[str]],
    schemas: Mapping[str, Schema],
) -> str:
    """The text of `methods/<section>.py` or `sync/<section>.py`."""
    body = f'class {section.capitalize()}Methods(Asking):\n    """{section.capitalize()}."""\n\n'
    body += "\n".join(_method(face, method, schemas) for method in methods)
    own = {f"musigd_client.models.{each}": names for each, names in shares.items()}
    own[f"musigd_client.{face}.asking"] = ["Asking"]
    own["musigd_client.wire"] = ["ABSENT", "Absent"]
    return file_text(f"{face}/{section}.py", f"Calls about {section}.", body, own)


def _method(face: str, method: Schema, schemas: Mapping[str, Schema]) -> str:
    define, ask = ASKS[face]
    params = sorted(method["params"], key=lambda param: (not param["required"], param["name"] == "idempotencyKey"))
    arguments = ["self", *(["*"] if params else []), *(_argument(param) for param in params)]
    result = method["result"]["schema"]["$ref"].rpartition("/")[2]
    kind = decoded = result
    if is_raw(schemas[result]):
        kind = RAW if schemas[result]["type"] == "object" else kinds(schemas[result], "")[0]
        decoded = "None"
    given = ", ".join(f'"{param["name"]}": {argument_name(param["name"])}' for param in params)
    return (
        f"    {define} {snake(method['name'])}({', '.join(arguments)}) -> {kind}:\n"
        f"{docstring(_told(method, params), ' ' * 8)}\n"
        f"        {'return' if decoded == kind else f'found: {kind} ='} "
        f'{ask}({decoded}, "{method["name"]}", {{{given}}})\n' + ("" if decoded == kind else "        return found\n")
    )


def _told(method: Schema, params: Iterable[Schema]) -> str:
    """Summary, the scope it needs, and each param with its range."""
    lines = [method["summary"], "", f"Scope `{method['x-scope']}`."]
    lines += [""] if params else []
    for param in params:
        said = [
            kind_of(_given(param["schema"]), lambda name: name).replace("`", ""),
            param["schema"].get("description", ""),
        ]
        lines.append(f"- `{argument_name(param['name'])}`: {'; '.join(filter(None, said))}")
    return "\n".join(lines)


def _given(schema: Schema) -> Schema:
    if "anyOf" not in schema or schema.get("default") is not None:
        return schema
    return {**schema, "anyOf": [each for each in schema["anyOf"] if each != {"type": "null"}]}


def _argument(param: Schema) -> str:
    schema, name = param["schema"], argument_name(param["name"])
    found = [part for kind in kinds(schema, "Sequence[{}]") for part in _or_mapping(kind)]
    if param["required"]:
        return f"{name}: {' | '.join(none_last(found))}"
    if schema.get("default") is not None and "None" in found:  # None itself says something
        return f"{name}: {' | '.join(none_last([*found, 'Absent']))} = ABSENT"
    return f"{name}: {' | '.join(none_last([*found, 'None']))} = None"


def _or_mapping(kind: str) -> list[str]:
    """An object may also be given as JSON."""
    if kind.startswith("Sequence[") and kind[9:10].isupper():
        return [f"Sequence[{kind[9:-1]} | {RAW}]"] if "[" not in kind[9:] else [kind]
    return [kind, RAW] if kind.isidentifier() and kind[0].isupper() and kind not in {"None", "Any"} else [kind]


def changing_file(repeatable: Sequence[str], once: Sequence[str]) -> str:
    """The text of `methods/changing.py`: how a call that changes something may be made again."""
    body = "\n".join(
        [
            f"IDEMPOTENT: Final = frozenset({list(repeatable)})",
            docstring("May be repeated with the same idempotencyKey.", ""),
            f"ONCE: Final = frozenset({list(once)})",
            docstring("Carry a secret, so they take no idempotencyKey.", ""),
        ]
    )
    return file_text("changing.py", "The methods that change something.", body, {"typing": ["Final"]})


def errors_file(errors: Mapping[str, Schema]) -> str:
    """The text of `errors.py`: a class for each reason that a daemon gives, and the classes above them."""
    roots = ["CallFailed", "CertificateRefused", "ClientError", "NotAuthorised", "Unreachable"]
    classes, known = [], {}
    for error in errors.values():
        for reason in error["data"]["reason"]:
            parent = "NotAuthorised" if reason in {"unauthenticated", "forbidden"} else "CallFailed"
            known[reason] = class_name(reason)
            classes.append(f'class {known[reason]}({parent}):\n    """`{reason}`, code {error["code"]}."""\n')
    named = ", ".join(f'"{name}"' for name in ("BY_REASON", *sorted([*roots, *known.values()])))
    table = ", ".join(f'"{reason}": {name}' for reason, name in known.items())
    body = "\n\n".join(
        [f"__all__ = [{named}]\n", *classes, f"BY_REASON: Final[Mapping[str, type[CallFailed]]] = {{{table}}}\n"]
    )
    own = {"musigd_client.failures": roots, "typing": ["Final"]}
    return file_text("errors.py", "What can go wrong: a class for each reason that a daemon refuses with.", body, own)
