"""What `musig-cli` says about itself, its methods and their parameters."""

from __future__ import annotations

from typing import Any

import orjson

from rpc.cli_params import is_secret
from rpc.methods.method import Method
from rpc.openrpc import document
from rpc.table import METHODS, SECTIONS

PARAMETERS = """parameters: key=value (text; numbers, true and false, and words,with,commas where the method wants them)
            key:=JSON   key=@FILE (the text of a file)   key=- (from standard input)"""
EXIT_CODES = """exit codes: 0 done, 1 the daemon refused (its error as JSON on standard output), 2 usage,
            3 no daemon answers, 4 not authorised"""


def methods_help() -> str:
    """All methods with their summaries."""
    width = max(map(len, METHODS))
    lines: list[str] = []
    for title, methods in SECTIONS.items():
        lines += ["", title, *(f"  {method.name:<{width}}  {method.summary}" for method in methods)]
    return "\n".join(lines).lstrip() + "\n"


def method_help(method: Method) -> str:
    """One method: what it does, its parameters, an example."""
    described = next(each for each in document("")["methods"] if each["name"] == method.name)
    lines = [f"{method.name}: {method.summary}", f"needs scope {method.scope}", ""]
    lines += [_parameter(method, each) for each in described["params"]] or ["it takes no parameters"]
    return "\n".join([*lines, "", f"example: {example_line(method)}"]) + "\n"


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


def _parameter(method: Method, described: dict[str, Any]) -> str:
    fields = {info.alias: info for info in method.params.model_fields.values()}
    notes = ["required"] if described["required"] else []
    if is_secret(fields[described["name"]]):
        notes.append("a secret: @FILE or -")
    if fields[described["name"]].description:
        notes.append(str(fields[described["name"]].description))
    return f"  {described['name']:<22} {', '.join(notes)}".rstrip()
