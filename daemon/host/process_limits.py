"""The limits of this process: open files and connections, and core dumps."""

from __future__ import annotations

import resource
from typing import Final

from daemon.errors import DaemonError

FEWEST: Final = 320  # the daemon's own (rpc.server.listen), and a few wallets and peers


class TooFewFiles(DaemonError):
    """The limit is so low that a daemon would start and then fail."""

    reason = "open_files"


def require_open_files() -> None:
    """Raise the soft limit as needed, up to the hard limit. Raises TooFewFiles if that is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _enough(soft):
        return
    if not _enough(hard):
        raise TooFewFiles(
            f"This process may have {hard} open files, and needs {FEWEST}: raise the limit (ulimit -n, or "
            "LimitNOFILE= in the unit)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEWEST, hard))


def _enough(limit: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= FEWEST


def forbid_core_dumps() -> None:
    """Let a crash leave no core dump. Keys and nonces are kept out of one, passphrases and tokens are not."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
