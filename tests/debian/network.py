"""What a tree borrows of this machine to reach a package index: names, certificates, pip's own settings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

BORROWED = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout")
CERTIFICATES = "etc/ssl/certs/lent.crt"


def lend(root: Path) -> None:
    """Write resolv.conf, and pip.conf with the certificates it names, into the tree at `root`."""
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    settings = _settings_of_pip()
    lines = [f"{name} = {value}" for name, value in settings.items() if name in BORROWED and "file:" not in value]
    if certificates := settings.get("cert"):
        (root / CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(certificates, root / CERTIFICATES)
        lines.append(f"cert = /{CERTIFICATES}")
    (root / "etc/pip.conf").write_text("\n".join(["[global]", *lines, ""]))


def _settings_of_pip() -> dict[str, str]:
    """`pip config list` prints `global.cert='...'` and, for variables, `:env:.cert='...'`; the last one wins."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = {}
    for line in sorted(listed.stdout.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        settings[name.rpartition(".")[2]] = value.strip("'")
    return settings
