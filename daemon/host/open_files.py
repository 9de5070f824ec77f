"""How many files and connections the system lets this process have open."""

from __future__ import annotations

import resource
from typing import Final

from daemon.errors import DaemonError

FEWEST: Final = 320  # what the daemon keeps for itself (rpc.server.listen), and a few wallets and peers


class TooFewFiles(DaemonError):
    """The limit is so low that a daemon would start and then fail at whatever comes."""

    reason = "open_files"


def require_open_files() -> None:
    """Raise the soft limit as far as it must, up to the hard one. Raises TooFewFiles when that is too low."""
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
