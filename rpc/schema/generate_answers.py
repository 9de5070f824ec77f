"""Writes answers as typed JSON from their models: `python -m rpc.schema.generate_answers`.

Some handlers answer with dicts, which are quicker to make than models; mypy compares those dicts with these types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from keyword import iskeyword
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from rpc.methods.discovery import DISCOVERY
from rpc.methods.events import DESCRIPTION, STREAM
from rpc.methods.method import Method
from rpc.methods.policy import APPROVALS
from rpc.methods.signing import REQUESTS, SESSIONS
from rpc.models.wire import Changed

FILE: Final = Path(__file__).parents[1] / "answers.py"
_TYPED: Final = (*DISCOVERY, *REQUESTS, *SESSIONS, *APPROVALS, *DESCRIPTION, *STREAM)
_HEAD: Final = '''"""The answers of discovery, signing and the event stream as JSON: a type for each model in them.

Written by `python -m rpc.schema.generate_answers` from the table. `seq` of a change is left out: the server adds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict'''


def source() -> str:
    """The text of `rpc/answers.py`."""
    found: dict[type[BaseModel], None] = {}
    for method in filter(has_type, _TYPED):
        _gather(method.result, found)
    return "\n\n\n".join((_HEAD, *(_class(model) for model in found))) + "\n"


def has_type(method: Method) -> bool:
    """Whether `rpc/answers.py` has a type for its answer; one that is no object needs none."""
    return method in _TYPED and not issubclass(method.result, RootModel)


def _gather(model: type[BaseModel], found: dict[type[BaseModel], None]) -> None:
    """What a model holds comes before it."""
    for field in model.model_fields.values():
        for inner in _models(field.annotation):
            _gather(inner, found)
    found.setdefault(model)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models(part)


def _class(model: type[BaseModel]) -> str:
    added = {"seq"} if issubclass(model, Changed) else set()
    members = {field.alias or name: _member(field) for name, field in model.model_fields.items() if name not in added}
    doc = (model.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()
    first = " ".join(doc.split())
    text = first if len(first) < 100 else first.split(". ")[0].split("; ")[0].rstrip(".") + "."
    if not all(name.isidentifier() and not iskeyword(name) for name in members):
        pairs = "".join(f'        "{name}": {kind},\n' for name, kind in members.items())
        return f'# {text}\n{model.__name__} = TypedDict(\n    "{model.__name__}",\n    {{\n{pairs}    }},\n)'
    lines = [f"    {name}: {kind}" for name, kind in members.items()]
    return f'class {model.__name__}(TypedDict):\n    """{text}"""\n\n' + "\n".join(lines)


def _member(field: FieldInfo) -> str:
    parts = _parts(field.annotation)
    if field.is_required():
        return " | ".join(parts)
    return f"NotRequired[{' | '.join(part for part in parts if part != 'None')}]"


def _parts(kind: Any) -> list[str]:
    """The alternatives of a type, in Python's words for JSON."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _parts(args[0])
    if origin in (Union, UnionType):
        return _once(part for arg in args for part in _parts(arg))
    if origin is Literal:
        return _once(type(value).__name__ for value in args)
    if origin is tuple:
        return [f"list[{' | '.join(_parts(args[0]))}]"]
    if origin is dict:
        return [f"Mapping[str, {' | '.join(_parts(args[1]))}]"]
    if kind is Any:
        return ["Any"]
    assert isinstance(kind, type), kind
    return ["None" if kind is NoneType else kind.__name__]


def _once(parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(parts))


def main() -> None:
    """Writes the file."""
    FILE.write_text(source())


if __name__ == "__main__":
    main()
