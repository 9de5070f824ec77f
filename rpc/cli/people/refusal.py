"""Refusals as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from config.text.plain_text import escaped
from musigd_client.failures import CallFailed
from rpc.cli.people.waiting import awaited


def refusal_text(problem: CallFailed) -> str:
    """The daemon's sentence; below it each wrong parameter, the awaited signers, and when to try again."""
    return "\n".join([f"musig-cli: {escaped(problem.message, lines=True)}", *_more(problem)])


def _more(problem: CallFailed) -> Iterator[str]:
    errors = problem.data.get("errors")
    for error in errors if isinstance(errors, list) else ():
        path, message = str(error.get("path", "")), str(error.get("message", ""))
        if path and not problem.message.startswith(f"{path}: "):
            yield f"  {escaped(path)}: {escaped(message)}"
    waiting = problem.data.get("waitingFor")
    for key in waiting if isinstance(waiting, list) else ():
        yield f"  waiting for {awaited(key, problem.data)}"
    retry_ms = problem.data.get("retryAfterMs")
    if isinstance(retry_ms, int):
        yield f"  try again in {max(1, round(retry_ms / 1000))} s"
