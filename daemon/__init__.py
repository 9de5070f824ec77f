"""The daemon: composition, what it keeps, what it does of itself, and its command line."""

from typing import Final

from config.left_out import Unloaded, leave_out

# It would draw tracebacks with these where they happen to be installed; the log has a form of its own.
STRUCTLOG: Final = Unloaded(
    hidden={"structlog.dev": ("better_exceptions", "colorama", "rich"), "structlog.tracebacks": ("rich",)}
)
# The server needs half of it; the client is loaded for the first webhook.
AIOHTTP: Final = Unloaded(unrun=("aiohttp",), whole="aiohttp")

leave_out(STRUCTLOG)
leave_out(AIOHTTP)
