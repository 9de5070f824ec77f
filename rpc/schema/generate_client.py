"""Writes the typed methods of the client from the table of methods: `python -m rpc.schema.generate_client`.

A test holds them to it.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from rpc.methods.discovery import DISCOVERY
from rpc.methods.events import EVENTS
from rpc.methods.keys import KEYS, PURE
from rpc.methods.method import Method
from rpc.methods.node import NODE, TOKENS
from rpc.methods.signing import REQUESTS, SESSIONS

FOLDER: Final = Path(__file__).parents[1] / "client" / "methods"
FILES: Final[Mapping[str, tuple[Method, ...]]] = {
    "node": (*NODE, *TOKENS),
    "keys": (*KEYS, *PURE),
    "discovery": DISCOVERY,
    "requests": REQUESTS,
    "sessions": SESSIONS,
    "events": EVENTS,
}
_WIDTH: Final = 120


def source_of(name: str, methods: Sequence[Method]) -> str:
    """The text of one file of `rpc/client/methods`."""
    body = "\n".join(_method(method) for method in methods)
    used = sorted({model for method in methods for model in _models_of(method)}, key=lambda model: model.__name__)
    lines = [
        f'"""Methods of the client: {name}. Written by `python -m rpc.schema.generate_client` from the table."""',
        "",
        "from __future__ import annotations",
        "",
        *_standard_imports(body),
        "",
        "from rpc.client.methods.asking import " + ("ABSENT, Absent, Asking" if "ABSENT" in body else "Asking"),
        *_imports(used),
        "",
        "",
        f"class {name.capitalize()}Methods(Asking):",
        f'    """{name.capitalize()}."""',
        "",
        body,
    ]
    return "\n".join(lines).rstrip() + "\n"


def _standard_imports(body: str) -> list[str]:
    wanted = [name for name in ("Mapping", "Sequence") if f"{name}[" in body]
    typed = [name for name in ("Any", "Literal") if f"{name}[" in body or f" {name}]" in body]
    lines = [f"from collections.abc import {', '.join(wanted)}"] if wanted else []
    return lines + ([f"from typing import {', '.join(typed)}"] if typed else [])


def _imports(models: Sequence[type[BaseModel]]) -> list[str]:
    modules: dict[str, list[str]] = {}
    for model in models:
        modules.setdefault(model.__module__, []).append(model.__name__)
    return [_import(module, names) for module, names in sorted(modules.items())]


def _import(module: str, names: Sequence[str]) -> str:
    line = f"from {module} import {', '.join(sorted(names))}"
    if len(line) <= _WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in sorted(names)) + ")"


def _models_of(method: Method) -> set[type[BaseModel]]:
    found = {method.result}
    for info in method.params.model_fields.values():
        found |= _models_in(info.annotation)
    return found


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for part in get_args(annotation) for model in _models_in(part)}


def _method(method: Method) -> str:
    fields = method.params.model_fields
    arguments = [_argument(field, info) for field, info in fields.items()]
    start = f"    async def {method.attribute.removeprefix('rpc_')}("
    signature = _wrapped(start, ["self", *(["*", *arguments] if arguments else [])], f") -> {method.result.__name__}:")
    doc = f'        """{method.summary}"""'
    return f"{signature}\n{doc}\n{_call(method)}\n"


def _call(method: Method) -> str:
    given = [f'"{info.alias}": {_python_name(field)}' for field, info in method.params.model_fields.items()]
    start = f'        return await self._ask({method.result.__name__}, "{method.name}", {{'
    line = start + ", ".join(given) + "})"
    if len(line) <= _WIDTH:
        return line
    names = f'            {method.result.__name__},\n            "{method.name}",\n'
    entries = "".join(f"                {entry},\n" for entry in given)
    return f"        return await self._ask(\n{names}            {{\n{entries}            }},\n        )"


def _wrapped(start: str, parts: Sequence[str], end: str) -> str:
    line = start + ", ".join(parts) + end
    if len(line) <= _WIDTH:
        return line
    inner = "        " + ", ".join(parts)
    if len(inner) <= _WIDTH:
        return f"{start}\n{inner}\n    {end}"
    return f"{start}\n" + "".join(f"        {part},\n" for part in parts) + f"    {end}"


def _python_name(field: str) -> str:
    return f"{field}_" if field in dir(builtins) else field


def _argument(name: str, info: FieldInfo) -> str:
    kind = _kind(info.annotation)
    name = _python_name(name)
    if info.is_required():
        return f"{name}: {kind}"
    if info.default is not None and "None" in kind:
        return f"{name}: {kind.removesuffix(' | None')} | Absent | None = ABSENT"
    return f"{name}: {kind} = None" if "None" in kind else f"{name}: {kind} | None = None"


def _kind(annotation: Any) -> str:
    """How a parameter of that type is annotated in the client."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(parts[0])
    if origin in (Union, types.UnionType):
        names = [name for part in parts for name in _kind(part).split(" | ")]
        return " | ".join(sorted(dict.fromkeys(names), key=lambda name: name == "None"))
    if origin is Literal:
        return f"Literal[{', '.join(repr(part).replace(chr(39), chr(34)) for part in parts)}]"
    if origin is tuple:
        return f"Sequence[{_kind(parts[0])}]"
    if annotation is type(None):
        return "None"
    if annotation is SecretStr:
        return "str"
    if issubclass(annotation, BaseModel):
        return f"{annotation.__name__} | Mapping[str, Any]"
    return str(annotation.__name__)


def main() -> None:
    """Writes every file."""
    for name, methods in FILES.items():
        (FOLDER / f"{name}.py").write_text(source_of(name, methods))


if __name__ == "__main__":
    main()
