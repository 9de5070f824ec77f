"""One machine for all, with the unit installed as docs/operating.md says; each test gets a unit that has never run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.debian import trees
from tests.systemd.machine import Machine
from tests.systemd.unit import Unit


def installation() -> list[str]:
    """The commands of the chapter `systemd` in docs/operating.md, line by line."""
    text = (trees.REPOSITORY / "docs/operating.md").read_text()
    chapter = text.partition("\n## systemd\n")[2].partition("\n## ")[0]
    block = re.search(r"```\n(.*?)```", chapter, re.DOTALL)
    assert block, "docs/operating.md has no commands under its heading systemd"
    return block[1].strip().splitlines()


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    try:
        made = Machine(tmp_path_factory.mktemp("machine"))
    except trees.Lacking as lacking:
        pytest.exit(f"make test-systemd cannot run here. {lacking}", returncode=2)
    with made:
        for command in installation():
            made.run("sh", "-euc", command, online=True)
        yield made


@pytest.fixture
def unit(machine: Machine) -> Iterator[Unit]:
    with Unit(machine) as made:
        yield made
