"""Which guards the newest py-libp2p still needs: python -m tests.libp2p.check [VERSION]

Makes an environment of its own under build/libp2p (the locked packages, and that release with what it asks for), shows
there the faults of the library as it comes, and runs the tests of the guards. Each guard is then

still needed       its fault is there (or cannot be shown cheaply), and its tests pass
no longer needed   its faults are gone
no longer fits     its tests fail there, or the fault cannot be asked for as before
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as Xml
from collections.abc import Sequence
from pathlib import Path

from tests.libp2p.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]
PINNED_BY_HAND = ("fastecdsa",)  # pyproject.toml says why another version is locked
ASKS_FOR = """
import importlib.metadata as m, json
from packaging.requirements import Requirement
wanted = [Requirement(each) for each in m.requires("libp2p") or ()]
print(json.dumps([str(each) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]))
"""
REPORT = ROOT / "build/libp2p/report.xml"
SHOW_S, TESTS_S = 300, 1_800


def run(*command: str, cwd: Path = ROOT, within_s: int = TESTS_S) -> str:
    """What it prints; ends the program with its error when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=within_s)
    if done.returncode != 0:
        raise SystemExit(f"`{' '.join(command)}` failed:\n{done.stderr[-2_000:]}")
    return done.stdout


def environment(version: str) -> tuple[str, str]:
    """(python, version) of an environment with that release, or with the newest."""
    folder = ROOT / "build/libp2p" / (version or "newest")
    python = str(folder / "bin/python")
    if not Path(python).exists():
        run(sys.executable, "-m", "venv", str(folder))
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        run(*pip, "--require-hashes", "-r", "requirements-build.lock")
        run(*pip, "--no-build-isolation", "--require-hashes", "-r", "requirements-dev.lock")
    release = f"libp2p=={version}" if version else "libp2p"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade")
    run(*pip, "--no-deps", "packaging", release)
    asked = json.loads(run(python, "-c", ASKS_FOR))
    run(*pip, "--upgrade-strategy", "only-if-needed", *(each for each in asked if not each.startswith(PINNED_BY_HAND)))
    return python, run(python, "-c", "import importlib.metadata as m; print(m.version('libp2p'))").strip()


def faults_in(python: str) -> dict[str, str]:
    """What each fault shows there. A run that stands still is ended, and what it had not come to is missing."""
    command, environ = [python, "-m", "tests.libp2p.show"], paths()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=SHOW_S
        )
        said = done.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
    shown: dict[str, str] = {}
    for line in said.splitlines():
        if line.startswith("{"):
            shown |= json.loads(line)
    return shown


def paths() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients/python'}"}


def failed_tests(python: str, tests: Sequence[str]) -> dict[str, bool]:
    """By name of a test, or of its file: whether it, or one in it, failed there. Files that cannot be read fail."""
    command = [python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", f"--junitxml={REPORT}"]
    files = sorted({test.partition("::")[0] for test in tests})
    REPORT.unlink(missing_ok=True)
    subprocess.run([*command, *files], cwd=ROOT, env=paths(), capture_output=True, check=False, timeout=TESTS_S)
    failed: dict[str, bool] = {}
    if not REPORT.exists():  # not even the fixtures can be loaded there
        return failed
    for case in Xml.parse(REPORT).getroot().iter("testcase"):
        broken = any(child.tag in ("failure", "error") for child in case)
        file = case.get("classname", "").replace(".", "/") + ".py"
        for name in (file, f"{file}::{case.get('name', '').partition('[')[0]}"):
            failed[name] = failed.get(name, False) or broken
    return failed


def verdict(guard: Guard, shown: dict[str, str], failed: dict[str, bool]) -> str:
    """The word, and why."""
    states = [f"{name}: {shown.get(name, 'hangs')}" for name in guard.faults]
    broken = [test for test in guard.tests if failed.get(test, True)]
    misfits = [state for state in states if not state.endswith((": there", ": gone"))]
    if states and all(state.endswith(": gone") for state in states):
        return "no longer needed"
    if broken or misfits:
        return f"no longer fits ({'; '.join([*broken, *misfits])})"
    gone = [state for state in states if state.endswith(": gone")]
    if not states:
        return "still needed (its fault is not shown; its tests pass)"
    return f"still needed{' (in part: ' + ', '.join(gone) + ')' if gone else ''}"


def main(version: str = "") -> None:
    python, found = environment(version)
    shown = faults_in(python)
    failed = failed_tests(python, [test for guard in GUARDS for test in guard.tests])
    print(f"libp2p {found}{'' if failed else ': no test of a guard can even be collected there'}")
    width = max(len(guard.name) for guard in GUARDS) + 2
    for guard in GUARDS:
        print(f"{guard.name:{width}}{verdict(guard, shown, failed)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
