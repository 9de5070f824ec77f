"""Which processor core is whose. Attackers have machines of their own, so here they get a core of their own.

The victim, its partner and the wallets share the others. Without that, what the attackers' own work takes from the
honest pair would count as damage.
"""

from __future__ import annotations

import os

THEIRS = "ADVERSARY_CORE"  # in the environment of the processes that are started afterwards


def split() -> str:
    """Keep this process, and what it starts, off the last core; in words who runs where."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return "everybody on one core"
    os.environ[THEIRS] = str(cores[-1])
    os.sched_setaffinity(0, cores[:-1])
    return f"attackers on core {cores[-1]}, everybody else on {', '.join(map(str, cores[:-1]))}"


def cross() -> None:
    """Go over to the attackers' core, if there is one."""
    core = os.environ.get(THEIRS)
    if core is not None:
        os.sched_setaffinity(0, {int(core)})
