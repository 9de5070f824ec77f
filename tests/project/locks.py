"""The lock files as data: what is locked, with which hashes, and which files the index has of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

PROJECT = Path(__file__).parents[2]
PYTHONS = ((3, 11), (3, 12), (3, 13))


@dataclass(frozen=True)
class Pin:
    """One locked version: `marker` says where it is installed, `hashes` are hexadecimal SHA-256."""

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]


def locked(name: str) -> dict[str, Pin]:
    """The pins of one lock file by canonical name."""
    pins: dict[str, Pin] = {}
    for entry in re.split(r"\n(?=\S)", (PROJECT / name).read_text()):
        requirement = Requirement(entry.split("\\")[0].strip())
        (specifier,) = requirement.specifier
        hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        pins[canonicalize_name(requirement.name)] = Pin(requirement.name, specifier.version, requirement.marker, hashes)
    return pins


def published() -> dict[str, dict[str, str]]:
    """The files of each locked version: canonical name to file name to SHA-256."""
    files: dict[str, dict[str, str]] = {}
    for line in (PROJECT / "requirements.published").read_text().splitlines():
        digest, file = line.split()
        name = (parse_wheel_filename(file) if file.endswith(".whl") else parse_sdist_filename(file))[0]
        files.setdefault(name, {})[file] = digest
    return files


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def group(name: str) -> list[Requirement]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    found: list[Requirement] = []
    for entry in project()["dependency-groups"][name]:
        found += [Requirement(entry)] if isinstance(entry, str) else group(entry["include-group"])
    return found


@dataclass(frozen=True)
class Platform:
    """One of the platforms that musigd is for, as markers and as wheels name it."""

    name: str
    system: str  # platform_system; sys_platform is the same in small letters
    machine: str
    wheels: tuple[str, ...]

    def markers(self, python: tuple[int, int]) -> dict[str, str]:
        """The values of the environment markers on this platform."""
        version = ".".join(map(str, python))
        return {
            "implementation_name": "cpython", "implementation_version": f"{version}.9", "os_name": "posix",
            "platform_machine": self.machine, "platform_python_implementation": "CPython", "platform_release": "",
            "platform_system": self.system, "platform_version": "", "python_full_version": f"{version}.9",
            "python_version": version, "sys_platform": self.system.lower(),
        }  # fmt: skip  # a table

    def tags(self, python: tuple[int, int]) -> set[Tag]:
        """The tags of wheels that can be installed on this platform."""
        return {
            *cpython_tags(python, platforms=self.wheels),
            *compatible_tags(python, "cp3{1}".format(*python), self.wheels),
        }


def _glibc(machine: str) -> tuple[str, ...]:
    """glibc 2.28 (Debian 10, RHEL 8) and older."""
    return *(f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)), f"manylinux2014_{machine}"


PLATFORMS = (
    Platform("Linux x86-64", "Linux", "x86_64", _glibc("x86_64")),
    Platform("Linux arm64", "Linux", "aarch64", _glibc("aarch64")),
    Platform("Linux x86-64 musl", "Linux", "x86_64", ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64")),
    Platform("Linux arm64 musl", "Linux", "aarch64", ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64")),
    Platform("macOS arm64", "Darwin", "arm64", tuple(mac_platforms((13, 0), "arm64"))),
    Platform("macOS x86-64", "Darwin", "x86_64", tuple(mac_platforms((13, 0), "x86_64"))),
)
