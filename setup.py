"""The requirements of the metadata; everything else is in pyproject.toml.

They are the versions in requirements.lock, so that `pip install .` installs what was tested and compiles nothing.
libp2p is taken from vendor/: the published files, with metadata that names requirements which have wheels.

What is built on the way is kept in a directory that ends with the build: left in the checkout, an old copy of a module
that has moved since would be installed too.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

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


with TemporaryDirectory(prefix="musigd-build-") as work:
    setup(install_requires=requirements(), options={"build": {"build_base": work}, "egg_info": {"egg_base": work}})
