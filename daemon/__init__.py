"""The daemon: composition, what it keeps, what it does of itself, and its command line."""

from typing import Final

from config.left_out import Unloaded, leave_out

# It would draw tracebacks with these where they happen to be installed; the log has a form of its own.
STRUCTLOG: Final = Unloaded(
    hidden={"structlog.dev": ("better_exceptions", "colorama", "rich"), "structlog.tracebacks": ("rich",)}
)
# The server needs half of it; the client is loaded for the first webhook, and asks no environment for proxies.
AIOHTTP: Final = Unloaded(unrun=("aiohttp",), whole="aiohttp", stood_in={"aiohttp.helpers": ("urllib.request",)})
# Settings come from files and variables: neither from its command line nor from a cloud.
PYDANTIC_SETTINGS: Final = Unloaded(
    never_called=tuple(f"pydantic_settings.sources.providers.{name}" for name in ("aws", "azure", "cli", "gcp"))
)
# It would look through the metadata of every package that is installed for plugins, and run those it finds. For fields
# that hold a time zone, of which there are none, it would load how this Python was built.
PYDANTIC: Final = Unloaded(
    unrun=("pydantic.plugin._loader",),
    given={"pydantic.plugin._loader": {"get_plugins": tuple}},
    stood_in={"pydantic._internal._generate_schema": ("zoneinfo",), "pydantic._internal._validators": ("zoneinfo",)},
)

leave_out(STRUCTLOG)
leave_out(AIOHTTP)
leave_out(PYDANTIC)
leave_out(PYDANTIC_SETTINGS)
