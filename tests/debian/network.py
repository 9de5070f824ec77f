"""Lends a tree what it needs to reach a package index: host names, certificates, pip's settings."""

from __future__ import annotations

import configparser
import os
import shutil
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
    """The settings that pip would read here, by the names of its options; variables win. pip may be missing."""
    home = Path.home()
    usual: list[str | Path] = [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
    ]
    files = configparser.RawConfigParser()
    files.read([*usual, os.environ.get("PIP_CONFIG_FILE", os.devnull)])
    written = files.items("global") if files.has_section("global") else []
    settings = {name.replace("_", "-"): value for name, value in written}
    for name, value in os.environ.items():
        if name.startswith("PIP_"):
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings
