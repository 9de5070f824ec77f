"""Variables that Kubernetes sets in every container for each Service: `MUSIGD_PORT=tcp://10.0.0.7:8327` for one that is
named musigd. They look like settings but are none, and whoever runs the daemon cannot prevent them.

Name and value together decide, so that a misspelt setting (`MUSIGD_PORT=8327`) is still refused.
Source: kubernetes.io/docs/concepts/services-networking/service, "Environment variables".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

_SERVICE: Final = "(?:[A-Z0-9]+_)*"  # the rest of a Service's name, such as MUSIGD_ + RPC_ for musigd-rpc
_PROTOCOL: Final = "(?:tcp|udp|sctp)"


def is_service_variable(name: str, value: str, prefix: str) -> bool:
    """Whether Kubernetes has set this variable, for a Service whose name begins like `prefix` (`MUSIGD_`)."""
    return any(
        re.fullmatch(prefix + _SERVICE + pattern, name) is not None and fits(value) for pattern, fits in _PATTERNS
    )


def service_variables(environment: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    """The names of all such variables, sorted."""
    return tuple(sorted(name for name, value in environment.items() if is_service_variable(name, value, prefix)))


def _is_host(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _is_port(value: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", value) is not None and 1 <= int(value) <= 65_535


def _is_protocol(value: str) -> bool:
    return re.fullmatch(_PROTOCOL, value) is not None


def _is_url(value: str) -> bool:
    found = re.fullmatch(rf"{_PROTOCOL}://(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]+)", value)
    return found is not None and _is_host(found[1] or found[2]) and _is_port(found[3])


_PATTERNS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("SERVICE_HOST", _is_host),
    ("SERVICE_PORT(?:_[A-Z0-9]+)*", _is_port),
    ("PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?", _is_url),
    ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_PROTO", _is_protocol),
    ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_PORT", _is_port),
    ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_ADDR", _is_host),
)
