"""Sets up logs: structlog for us, the standard library's for others, one format, no secret in either.

Everything goes through one bounded queue (`config.output.outlet`), from every thread: no log call waits for the
reader of the log. So does what libraries print: `config.output.printed`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any, Final

import orjson
import structlog

from config.output.bounded_log import BoundedKinds
from config.output.outlet import Outlet
from config.output.terminal import STDERR, stderr_encoding
from config.text.plain_text import escaped
from config.text.redaction import redact_entry

QUIET: Final = ("asyncio", "aiohttp.access", "multiaddr", "async_service", "zeroconf")  # warnings only
SEVERAL_LINES: Final = ("exception", "stack")  # members of an entry that are written as they are laid out


class LogOutlet(logging.Handler):
    """Renders each record where it is made, since what it names may change, and leaves the writing to the outlet."""

    def __init__(self, outlet: Outlet, encoding: str = "utf-8", bounds: BoundedKinds | None = None) -> None:
        super().__init__()
        self.outlet = outlet
        self._encoding = encoding
        self._bounds = bounds or BoundedKinds()
        outlet.on_drops = self._drops_told

    def emit(self, record: logging.LogRecord) -> None:
        for told in self._bounds.ended():
            self.outlet.put(partial(self._rendered, told))
        if self._bounds.admits(record):
            self.outlet.put(lambda: self._rendered(record))

    def _rendered(self, record: logging.LogRecord) -> bytes:
        try:
            return self._encoded(self.format(record))
        except Exception as error:  # noqa: BLE001 - no log call may fail, whatever somebody gives it to render
            return self._encoded(f"a log line of {record.name} cannot be shown: {type(error).__name__}")

    def _drops_told(self, count: int) -> bytes:
        text = f"{count} log lines were dropped: nobody read them, or they could not be written"
        return self._rendered(logging.LogRecord("musigd.log", logging.WARNING, __file__, 0, text, None, None))

    def _encoded(self, line: str) -> bytes:
        return line.encode(self._encoding, "backslashreplace") + b"\n"


def configure_logging(level: str, form: str) -> Outlet:
    """Log to standard error, by the outlet that is returned: close it before the process ends.

    `form` is `console` for people or `json`, one object per line. May be called again.
    """
    outlet = Outlet(STDERR)
    encoding = "utf-8" if form == "json" else stderr_encoding()
    log_to(LogOutlet(outlet, encoding), level, form, colours=os.isatty(STDERR))
    return outlet


def log_to(handler: logging.Handler, level: str, form: str, *, colours: bool = False) -> None:
    """Make `handler` the only one of the process, with our format."""
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
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # plain: tracebacks with local variables would show secrets
                redact_entry,
                escape_entry,
                _json_renderer() if form == "json" else _console_renderer(colours=colours),
            ],
        )
    )
    logging.getLogger().handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """Change what is logged, now: `debug`, `info`, `warning` or `error`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger().setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def escape_entry(logger: Any, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: text of peers can neither control the terminal nor look like another line of the log."""
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
    return structlog.processors.JSONRenderer(serializer=lambda entry, **_: _as_json(entry))


def _as_json(entry: Any) -> str:
    try:
        return orjson.dumps(entry, default=str).decode()
    except TypeError:  # half of a character, as in a path that is not UTF-8; or a number past 64 bits
        return json.dumps(entry, default=str)


def _console_renderer(*, colours: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )
