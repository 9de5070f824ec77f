"""The image is built once; every test gets a volume of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.debian import trees
from tests.docker import image
from tests.docker.engine import Engine, running

SIZES = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Engine]:
    """An engine that has the image, in a network of its own."""
    workspace = tmp_path_factory.mktemp("engine")
    try:
        with running(workspace, own_network=False) as builder:
            base = image.build(builder, workspace)
            whole, under = image.megabytes(builder, image.NAME), image.megabytes(builder, base)
            builder.run("image", "prune", "--force")
    except trees.Lacking as lacking:
        pytest.exit(f"make test-docker cannot run here. {lacking}", returncode=2)
    pytestconfig.stash[SIZES] = (
        f"image {whole:.0f} MB: base {under:.0f} MB, musigd and its packages {whole - under:.0f} MB"
    )
    with running(workspace, own_network=True) as runner:
        yield runner


@pytest.fixture
def volume(engine: Engine) -> Iterator[str]:
    name = engine.run("volume", "create").strip()
    yield name
    engine.run("volume", "rm", "--force", name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if SIZES in config.stash:
        terminalreporter.write_line(config.stash[SIZES])
