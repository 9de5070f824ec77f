"""One file per attack, named after it: `async def attack(crew)` prepares, awaits `crew.ready()`, then goes on."""

from __future__ import annotations

import pkgutil


def modules() -> dict[str, str]:
    """The module of each attack, by the attack's name; the rooms of this folder in turn."""
    found = pkgutil.walk_packages(__path__, f"{__name__}.")
    return {name.rpartition(".")[2]: name for _, name, is_room in found if not is_room}
