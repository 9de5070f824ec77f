"""Sets up logs: structlog for us, the standard library's for others, one format, no secret in either."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import orjson
import structlog

from config.plain_text import escaped
from config.redaction import redact_entry

QUIET: Final = ("asyncio", "aiohttp.access", "multiaddr", "async_service", "zeroconf")  # warnings only
SEVERAL_LINES: Final = ("exception", "stack")  # members of an entry that are written as they are laid out


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Log to `stream` (stderr): `form` is `console` for people or `json`, one object per line. May be called again."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # plain: tracebacks with local variables would show secrets
                redact_entry,
                escape_entry,
                _json_renderer() if form == "json" else _console_renderer(target),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """Change what is logged, now: `debug`, `info`, `warning` or `error`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger().setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def escape_entry(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: nothing that a peer wrote steers the terminal, or looks like a further line of the log."""
    for name, value in entry.items():
        if not name.startswith("_"):
            entry[name] = _escaped(value, lines=name in SEVERAL_LINES)
    return entry


def _escaped(value: Any, *, lines: bool) -> Any:
    match value:
        case str():
            return escaped(value, lines=lines)
        case Mapping():
            return {escaped(str(name)): _escaped(item, lines=lines) for name, item in value.items()}
        case list() | tuple():
            return [_escaped(item, lines=lines) for item in value]
    return value


def _shared() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _json_renderer() -> structlog.processors.JSONRenderer:
    return structlog.processors.JSONRenderer(serializer=lambda entry, **_: orjson.dumps(entry, default=str).decode())


def _console_renderer(target: TextIO) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
