"""The requirements of the metadata; everything else is in pyproject.toml.

They are the versions in requirements.lock, so that `pip install .` installs what was tested and compiles nothing.
libp2p is taken from vendor/: the published files, with metadata that names requirements which have wheels.
"""

from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent


def requirements() -> list[str]:
    """Every pin of the lock file without its hashes: `name==version ; marker`."""
    lines = (HERE / "requirements.lock").read_text().splitlines()
    pins = [line.removesuffix("\\").strip() for line in lines if "==" in line and not line.startswith((" ", "#"))]
    return [vendored(pin) if pin.startswith("libp2p==") else pin for pin in pins]


def vendored(pin: str) -> str:
    """The wheel in vendor/ of what `pin` names, by its place in this checkout."""
    name, version = pin.split("==")
    (wheel,) = (HERE / "vendor").glob(f"{name}-{version}+*.whl")
    return f"{name} @ {wheel.as_uri()}"


setup(install_requires=requirements())
