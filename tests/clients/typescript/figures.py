"""What the TypeScript kit weighs, as it is installed and as a browser loads it."""

from __future__ import annotations

import gzip
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.clients.named_weights import out_of_date

MOST_INSTALLED = 400_000  # ES modules, CommonJS, and types for each
MOST_COMPRESSED = 8_000
EVERYTHING = 'export * from "musigd-client";\n'
TIMED = 'const begun = performance.now(); await import("musigd-client/node"); console.log(performance.now() - begun);'


@dataclass(frozen=True, slots=True)
class Figures:
    """Bytes; `compressed` is `bundle` by gzip. `import_ms` in Node, once it runs."""

    dependencies: int
    installed: int
    bundle: int
    compressed: int
    import_ms: float

    def __str__(self) -> str:
        return (
            f"{self.dependencies} dependencies, {self.installed:,} bytes installed; all of it for a browser "
            f"{self.bundle:,} bytes, {self.compressed:,} compressed; imported in {self.import_ms:.0f} ms"
        )


def figures(wallet: Path, esbuild: Path, node: str) -> Figures:
    """Of the package that is installed in that directory; ends the program when a browser could not load it."""
    package = wallet / "node_modules/musigd-client"
    entry = wallet / "everything.mjs"
    entry.write_text(EVERYTHING)
    command = [str(esbuild), str(entry), "--bundle", "--minify", "--format=esm", "--platform=browser"]
    bundle = subprocess.run(command, capture_output=True, check=True, cwd=wallet).stdout
    if b"node:" in bundle or b"import(" in bundle:
        raise SystemExit("the entry for browsers brings in something of Node's")
    timed = [node, "--input-type=module", "-e", TIMED]
    told = subprocess.run(timed, capture_output=True, check=True, cwd=wallet, text=True).stdout
    found = Figures(
        dependencies=len(json.loads((package / "package.json").read_text()).get("dependencies", {})),
        installed=sum(path.stat().st_size for path in package.rglob("*") if path.is_file()),
        bundle=len(bundle),
        compressed=len(gzip.compress(bundle)),
        import_ms=float(told),
    )
    if found.dependencies or found.installed > MOST_INSTALLED or found.compressed > MOST_COMPRESSED:
        raise SystemExit(f"the kit has grown: {found}")
    sizes = {"typescript": found.installed, "bundle": found.bundle, "bundle compressed": found.compressed}
    if said := [each for what, size in sizes.items() for each in out_of_date(what, size)]:
        raise SystemExit("; ".join(said))
    return found
