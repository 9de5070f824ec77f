"""Explains exactly why a body is not JSON; runs only after the parser has refused it."""

from __future__ import annotations

import re

import orjson

_NO_NUMBER = re.compile("-?(?:NaN|Infinity)", re.IGNORECASE)


def is_too_deep(problem: orjson.JSONDecodeError) -> bool:
    """Whether it was refused for its nesting alone; orjson stops at 1,024 levels."""
    return "depth limit" in problem.msg


def why_broken(body: bytes | str, problem: orjson.JSONDecodeError) -> str:
    """A sentence for whoever sent `body`, which `problem` refused; it repeats nothing of the body but NaN and such."""
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as bad:
        return f"The body is not JSON in UTF-8: byte {bad.start} belongs to no character."
    if text.startswith("\ufeff"):
        return "The body begins with a byte order mark; send the JSON without it."
    if not text.strip():
        return "The body is empty; send a JSON-RPC call."
    number = _NO_NUMBER.match(text, max(0, problem.pos - 1)) or _NO_NUMBER.match(text, problem.pos)
    if number is not None:
        return f"The body has {number[0]}, which JSON does not know; send a number, or null."
    if "infinity" in problem.msg:
        return "The body has a number that is too large for any reader; whole numbers go up to 9007199254740991."
    return f"The body is not JSON: {problem.msg} (line {problem.lineno}, column {problem.colno})."
