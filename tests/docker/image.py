"""The image of the Dockerfile, on a base that needs no registry: a Debian tree with Python, imported."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.debian import network, trees
from tests.docker.engine import Engine

PACKAGES = ("python3", "python3-venv")
NAME = "musigd"
TREE = "musigd-debian"
BASE = "musigd-base"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def base(engine: Engine, workspace: Path) -> str:
    """The name of the base image: a Debian tree that has borrowed this machine's way to the package index."""
    if engine.attempt("image", "inspect", TREE).returncode != 0:
        whole = workspace / "tree.tar"
        subprocess.run(["tar", "-C", trees.tree(PACKAGES), "-cf", whole, "."], check=True)
        engine.run("import", "--change", f"ENV PATH={PATH}", whole, TREE)
        whole.unlink()
    borrowed = workspace / "borrowed"
    (borrowed / "etc").mkdir(parents=True)
    network.lend(borrowed)
    (borrowed / "etc/resolv.conf").unlink()  # the engine's business
    (borrowed / "Dockerfile").write_text(f"FROM {TREE}\nCOPY etc /etc\n")
    engine.run("build", f"--tag={BASE}", borrowed)
    return BASE


def build(engine: Engine, workspace: Path) -> str:
    """Build the image from the checkout as it is, and return the name of its base."""
    under = base(engine, workspace)
    source = trees.checkout(workspace / "checkout")
    proxies = [f"--build-arg={name}" for name in PROXIES if name in os.environ]
    arguments = ["--network=host", f"--build-arg=BASE={under}", f"--tag={NAME}", *proxies]
    engine.run("build", *arguments, source)
    return under


def megabytes(engine: Engine, image: str) -> float:
    """Size of an image, its base included."""
    return int(engine.run("image", "inspect", "--format", "{{.Size}}", image)) / 1e6
