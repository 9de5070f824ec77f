"""Installs the Python kit with pip for every Python there is, signs with it, and says what it costs.

    make test-install-kit                                  every Python from 3.10 to 3.14 that is on the PATH
    make test-install-kit ARGS="python3.10 /opt/bin/python3.14"

Needs the package index. Prints milliseconds of processor for the imports (beside a Python that imports nothing), the
size on the disk and the number of packages; the first that fails ends it.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from daemon.demo.verify import signature_holds
from tests.clients.python.kit_environment import build_wheel
from tests.project.locks import PROJECT, PYTHONS, locked
from tests.rpc.rpc_daemons import two_daemons

NAMES = [f"python3.{minor}" for minor in range(10, 15)]
IMPORTS = {
    "nothing": "pass",
    "SyncClient": "from musigd_client import SyncClient",
    "Client": "from musigd_client import Client",
    "Client and aiohttp": "import musigd_client.transport",
}
TIMES = 11


def runs(python: str) -> bool:
    """Whether it is there: a name on the PATH may be a shim for a version that is not installed."""
    if shutil.which(python) is None:
        return False
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def installed(python: str, wheel: Path, folder: Path) -> Path:
    """A virtual environment with the wheel; its dependencies as locked, on the Pythons that the lock is for."""
    pins = locked("requirements.lock")
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins.values()))
    subprocess.run([python, "-m", "venv", folder / "env"], check=True)
    found = folder / "env" / "bin" / "python"
    asked = [str(found), "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    is_locked = version in {".".join(map(str, each)) for each in PYTHONS}
    pip: list[str | Path] = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    pip += ["--constraint", constraints] if is_locked else []
    subprocess.run([*pip, wheel], check=True)
    return found


def processor_ms(python: Path, program: str) -> float:
    """The median of several runs, user and system, once the modules are compiled."""
    spent = []
    for _ in range(TIMES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([python, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent[1:]) * 1_000


def sizes(python: Path) -> str:
    """Of the kit and of all packages, without pip and without compiled modules."""
    (packages,) = (python.parents[1] / "lib").glob("python*/site-packages")
    files = [file for file in packages.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    ours = [
        file for file in files if not file.relative_to(packages).parts[0].startswith(("pip", "setuptools", "_dist"))
    ]
    of_kit = [file for file in ours if file.relative_to(packages).parts[0].startswith("musigd_client")]
    packed = {file.relative_to(packages).parts[0] for file in ours if ".dist-info" in str(file)}
    kit, everything = (sum(file.stat().st_size for file in some) / 1_000 for some in (of_kit, ours))
    return f"{kit:.0f} kB, with what it needs {everything / 1_000:.1f} MB in {len(packed)} packages"


async def sign(python: Path, folder: Path) -> None:
    """Two of the first wallet make a signature between real daemons."""
    async with two_daemons(folder) as pair:
        answering, asking = [
            await asyncio.create_subprocess_exec(
                python,
                PROJECT / "examples" / "wallet.py",
                datadir,
                *more,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for datadir, more in ((pair.datadirs[1], ()), (pair.datadirs[0], ("ask", "we agree")))
        ]
        async with asyncio.timeout(120):
            (said, _), _ = await asyncio.gather(asking.communicate(), answering.communicate(b"yes\n"))
    signature, _, message, _, key = said.decode().split()
    assert signature_holds("bip340", *map(bytes.fromhex, (key, message, signature)))


def main(pythons: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="musigd kit ") as directory:
        wheel = build_wheel(Path(directory))
        print(f"{wheel.name}: {wheel.stat().st_size / 1_000:.0f} kB")
        for python in pythons:
            folder = Path(directory, Path(python).name)
            folder.mkdir()
            found = installed(python, wheel, folder)
            asyncio.run(sign(found, folder))
            print(f"{python}: signed; {sizes(found)}")
            for name, program in IMPORTS.items():
                print(f"    import {name:20} {processor_ms(found, program):5.0f} ms of processor", flush=True)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main(sys.argv[1:] or [python for python in NAMES if runs(python)])
