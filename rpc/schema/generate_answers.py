"""Writes the answers of signing as typed JSON from their models: `python -m rpc.schema.generate_answers`.

Its handlers answer with dicts, which cost nothing to make; with these types mypy compares them with the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rpc.methods.signing import REQUESTS, SESSIONS

FILE: Final = Path(__file__).parents[1] / "answers.py"
_HEAD: Final = '''"""The answers of requests and sessions as JSON: one type for each model that they hold.

Written by `python -m rpc.schema.generate_answers` from the table. `seq` is left out: the server adds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict'''


def source() -> str:
    """The text of `rpc/answers.py`."""
    found: dict[type[BaseModel], None] = {}
    for method in (*REQUESTS, *SESSIONS):
        _gather(method.result, found)
    return "\n\n\n".join((_HEAD, *(_class(model) for model in found))) + "\n"


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
    lines = [f"    {field.alias}: {_member(field)}" for name, field in model.model_fields.items() if name != "seq"]
    doc = (model.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()
    first = " ".join(doc.split())
    text = first if len(first) < 100 else first.split(". ")[0].split("; ")[0].rstrip(".") + "."
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
        return ["Mapping[str, object]"]
    assert isinstance(kind, type), kind
    return ["None" if kind is NoneType else kind.__name__]


def _once(parts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(parts))


def main() -> None:
    """Writes the file."""
    FILE.write_text(source())


if __name__ == "__main__":
    main()
