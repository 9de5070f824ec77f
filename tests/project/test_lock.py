"""The lock files are closed: nothing is left for a resolver, on any supported Python and platform."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.project.locks import PLATFORMS, PROJECT, PYTHONS, Pin, Platform, group, locked, project, published

LOCKS = {"requirements.lock": "run", "requirements-dev.lock": "dev", "requirements-build.lock": "build"}
EVERYWHERE = [pytest.param(p, v, id=f"{p.name}, {v[0]}.{v[1]}") for p in PLATFORMS for v in PYTHONS]
SOURCE_IN_PYTHON = {"jsonrpcserver", "python-baseconv", "varint"}  # no wheels at all, nothing to compile either
NO_WHEEL = {"macOS x86-64": {"cbor2", "cryptography", "zeroconf"}}  # .ci/environment looks for a compiler there


def requirements_of(pin: Pin) -> list[Requirement]:
    """What a locked package requires: as pyproject.toml overrides it, else as its own metadata says."""
    for override in project()["tool"]["uv"]["dependency-metadata"]:
        if (override["name"], override["version"]) == (pin.name, pin.version):
            return [Requirement(line) for line in override["requires-dist"]]
    try:
        found = distribution(pin.name)
    except PackageNotFoundError:
        pytest.fail(f"{pin.name} is locked and not installed: make env installs it.")
    assert found.version == pin.version, f"{pin.name} {found.version} is installed, {pin.version} locked: make env"
    return [Requirement(line) for line in found.requires or ()]


def closure(roots: list[Requirement], pins: dict[str, Pin], markers: dict[str, str]) -> set[str]:
    """The canonical names of all that `roots` need; fails at a requirement which the pins do not meet."""
    waiting = [(root, "musigd") for root in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, parent = waiting.pop()
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{parent} needs {requirement}, which is not locked"
        assert requirement.specifier.contains(pins[name].version, prereleases=True), f"{parent} needs {requirement}"
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [
                    (needed, name)
                    for needed in requirements_of(pins[name])
                    if needed.marker is None or needed.marker.evaluate({**markers, "extra": extra})
                ]
    return {name for name, _ in seen}


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize(("platform", "python"), EVERYWHERE)
def test_the_lock_has_exactly_what_the_packages_require(name: str, platform: Platform, python: tuple[int, int]) -> None:
    markers = platform.markers(python)
    here = {key: pin for key, pin in locked(name).items() if pin.marker is None or pin.marker.evaluate(markers)}

    assert closure(group(LOCKS[name]), here, markers) == set(here)


@pytest.mark.parametrize("name", LOCKS)
def test_every_published_file_of_a_locked_version_has_its_hash_in_the_lock(name: str) -> None:
    files = published()

    for key, pin in locked(name).items():
        assert pin.hashes == set(files[key].values()), key


@pytest.mark.parametrize(("platform", "python"), EVERYWHERE)
def test_every_compiled_package_has_a_wheel(platform: Platform, python: tuple[int, int]) -> None:
    tags, files = platform.tags(python), published()
    without = {
        key
        for key, pin in locked("requirements-dev.lock").items()
        if pin.marker is None or pin.marker.evaluate(platform.markers(python))
        if not any(tags & parse_wheel_filename(file)[3] for file in files[key] if file.endswith(".whl"))
    }

    assert without == SOURCE_IN_PYTHON | NO_WHEEL.get(platform.name, set())


def test_the_tests_run_with_the_locked_versions() -> None:
    tested = locked("requirements-dev.lock")

    for name in ("requirements.lock", "requirements-build.lock"):
        assert locked(name).items() <= tested.items(), name


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name: str) -> None:
    content = (PROJECT / name).read_text()

    assert "://" not in content
    assert "index" not in content
