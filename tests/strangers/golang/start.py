"""Where go-libp2p comes from, and how the peer is started."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.clients.typescript.node_programs import run
from tests.strangers.stranger import Stranger, running
from tests.strangers.world import Starts

ROOT = Path(__file__).parents[3]
# go-libp2p built as a library, with a module named libp2p: so it lies beside the environment, not in it.
PACKAGES = (
    *("libp2p-go==0.1.4", "msgpack==1.2.4"),
    *("multiaddr==0.0.9", "base58==2.1.1", "netaddr==1.3.0", "six==1.17.0", "varint==1.0.2"),  # what it asks for
)


def installed() -> Path:
    """The folder with these packages, which stay there."""
    folder = ROOT / "build/strangers/go"
    done, asked = folder / "installed", "\n".join(PACKAGES)
    if not done.exists() or done.read_text() != asked:
        if sys.version_info[:2] != (3, 11):
            raise SystemExit("go-libp2p is packaged for Python 3.11 alone: make PYTHON=python3.11 in a fresh checkout.")
        pip = ("python3", "-m", "pip", "--python", sys.executable, "install", "--quiet", "--disable-pip-version-check")
        run([*pip, "--no-deps", "--upgrade", "--target", str(folder), *PACKAGES], ROOT)
        done.write_text(asked)
    return folder


@asynccontextmanager
async def in_go(folder: Path, network: str, seed: str, listen: str) -> AsyncIterator[Stranger]:
    """A peer of its own."""
    command = (sys.executable, "-m", "tests.strangers.golang.peer", network, seed, listen)
    async with running(*command, environment={"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}) as peer:
        yield peer


def starts() -> Starts:
    """Starts peers on go-libp2p."""
    return partial(in_go, installed())
