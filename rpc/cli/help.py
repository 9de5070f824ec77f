"""What `musig-cli` says about itself, its methods and their parameters."""

from __future__ import annotations

from typing import Any

import orjson

from rpc.cli.params import is_secret
from rpc.methods.method import Method
from rpc.methods.table import METHODS, SECTIONS
from rpc.schema.openrpc import document
from rpc.schema.words import Member, deep_members

PARAMETERS = """parameters: key=value (text; numbers, true and false, and words,with,commas where the method wants them)
            key:=JSON   key=@FILE (the text of a file)   key=- (from standard input)"""
EXIT_CODES = """exit codes: 0 done, 1 the daemon refused (its error as JSON on standard output), 2 usage or a failure
            on this side, 3 no daemon answers, 4 not authorised"""


def methods_help() -> str:
    """All methods with their summaries."""
    width = max(map(len, METHODS))
    lines: list[str] = []
    for title, methods in SECTIONS.items():
        lines += ["", title, *(f"  {method.name:<{width}}  {method.summary}" for method in methods)]
    return "\n".join(lines).lstrip() + "\n"


def method_help(method: Method) -> str:
    """One method: what it does, its parameters with types, ranges and defaults, an example."""
    schemas = document("")["components"]["schemas"]
    told = [_parameter(method, member) for member in deep_members(schemas[method.params.__name__], schemas)]
    lines = [f"{method.name}: {method.summary}", f"needs scope {method.scope}", "", *told]
    return (
        "\n".join([*lines, *([] if told else ["it takes no parameters"]), "", f"example: {example_line(method)}"])
        + "\n"
    )


def example_line(method: Method) -> str:
    """The example of the table as a command."""
    words = [_word(method, name, value) for name, value in method.example.items()]
    return " ".join(["musig-cli", method.name, *words])


def _word(method: Method, name: str, value: Any) -> str:
    fields = {info.alias: info for info in method.params.model_fields.values()}
    if is_secret(fields[name]):
        return f"{name}=@FILE"
    if isinstance(value, str):
        return f"{name}={value}" if " " not in value else f"{name}='{value}'"
    text = orjson.dumps(value).decode()
    return f"{name}:='{text}'" if isinstance(value, dict | list) else f"{name}={text}"


def _parameter(method: Method, member: Member) -> str:
    fields = {info.alias: info for info in method.params.model_fields.values()}
    notes = ["required"] if member.required else []
    if member.path in fields and is_secret(fields[member.path]):
        notes.append("a secret: @FILE or -")
    notes += [member.description] if member.description else []
    told = "; ".join([member.kind.replace("`", ""), *notes])
    return f"  {member.path:<30} {told}"
