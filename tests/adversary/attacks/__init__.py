"""One file per attack, named after it: `async def attack(crew)` prepares, awaits `crew.ready()`, then goes on."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def modules() -> dict[str, str]:
    """The module of each attack, by the attack's name. Loads none: attackers have no daemon in them."""
    files = sorted(path.relative_to(HERE).with_suffix("") for path in HERE.rglob("*.py") if path.stem != "__init__")
    return {path.name: ".".join((__name__, *path.parts)) for path in files}
