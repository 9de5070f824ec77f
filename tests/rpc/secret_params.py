"""Params as they look once the secrets were taken out of the message."""

from collections.abc import Mapping
from typing import Any

from rpc.sent_secret import SECRET_PARAMS, SentSecret


def as_received(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same params, the texts of secrets in locked memory."""
    return {
        name: SentSecret.of(value) if name in SECRET_PARAMS and isinstance(value, str) else value
        for name, value in params.items()
    }
