"""Mutation testing of musig2, all but the file that touches the library: one small change at a time must fail a test.

    python -m tests.musig2.mutate [--minutes 20] [--jobs 2] [file ...]

Mutants are made in memory and tried in a forked child, in random order until the time is over. What survives is
printed; those that cannot be told from the original are listed below with the reason.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import io
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent.parent
PACKAGE = ROOT / "musig2"
SECONDS_PER_MUTANT = 60
LEFT_OUT = ("secp.py", "__init__.py")  # touches the library; only names what is exported

CLOSEST_TO_ALL = ["vectors/test_bip327_vectors.py", "vectors/test_lotus_vectors.py", "test_musig2_arguments.py"]
CLOSEST = {
    "chain/address.py": ["test_musig2_address.py"],
    "curve/batch.py": ["test_musig2_batch.py"],
    "bip340.py": [
        "vectors/test_bip327_vectors.py",
        "vectors/test_bip340_vectors.py",
        "test_musig2_nonces.py",
        "attacks/test_attack_tweaks.py",
    ],
    "keys.py": ["test_musig2_secrets.py", "attacks/test_attack_nonce_reuse.py"],
    "known_answers.py": ["test_musig2_import.py"],
    "lotus.py": ["vectors/test_lotus_vectors.py", "test_musig2_nonces.py", "attacks/test_attack_bad_partial.py"],
    "curve/memory.py": ["test_musig2_memory.py"],
    "chain/sighash.py": ["vectors/test_sighash_vectors.py"],
    "chain/transaction.py": ["vectors/test_sighash_vectors.py"],
    "tweaks.py": ["attacks/test_attack_tweaks.py", "vectors/test_lotus_vectors.py", "vectors/test_sighash_vectors.py"],
}

_FIXED = "the library takes the address only, and reads or writes a fixed number of bytes there"
EXPLAINED: dict[tuple[str, str], str] = {
    ("chain/address.py", "jn54khce6mua7l!"): "no group of five bits is 32",
    ("chain/address.py", "<< 5 ^ value -> (remainder"): "the five bits shifted in are zero",
    ("curve/batch.py", "line 9"): "the number of threads is a matter of speed",
    ("curve/batch.py", "_CORES"): "the number of threads is a matter of speed",
    ("bip340.py", "if tweaks: -> if True"): "without tweaks the same key is read once more",
    ("bip340.py", "32 -> 33  [:33]"): _FIXED,
    ("generic.py", "32 -> 33  [slice(0, 33)]"): _FIXED,
    ("generic.py", "32 -> 33  [:33]"): _FIXED,
    ("curve/hashing.py", "if TYPE_CHECKING"): "only the type checker looks there",
    ("keys.py", "_PAIR"): _FIXED,
    ("keys.py", "+ secp.KEYPAIR_SIZE"): _FIXED,
    ("keys.py", "- secp.KEYPAIR_SIZE"): _FIXED,
    ("keys.py", "line 35: 32 -> 33"): _FIXED,
    ("known_answers.py", "b'\\x08' * 33"): _FIXED,
    ("known_answers.py", "b'\\x01' * 33"): _FIXED,
    ("known_answers.py", "32 -> 33  [:33]"): _FIXED,
    ("known_answers.py", "32 -> 33  [bytes(33)]"): _FIXED,
    ("known_answers.py", "to_bytes(33)"): "a leading zero does not change a number",
    ("known_answers.py", "partial_sign(slot, key, 1)"): "bip340 needs no position to sign",
    ("known_answers.py", "return False -> return None"): "both are taken for wrong",
    ("lotus.py", "> FIELD"): "an r of exactly p equals no x-coordinate, which are all below p",
    ("lotus.py", "32 -> 33  [:33]"): _FIXED,
    ("chain/sighash.py", "strict=False"): "the level was filled up to an even length",
    ("scheme.py", "strict=False"): "both lists were found to have one entry for each key",
    ("lotus.py", "strict=False"): "there are as many coefficients as keys",
    ("lotus.py", "b'Schnorr+SHA256  !'"): _FIXED,
    ("curve/memory.py", "65 * 1024"): "a matter of size",
    ("curve/points.py", "x > ORDER"): "the order itself gives r = 0, for which there is no recovery either way",
}
SWAPS: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.Add, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.Pow: ast.Mult,
}  # fmt: skip  # a table


def variants(node: ast.AST) -> Iterator[ast.AST | None]:
    """Replacements for one node; None removes a statement."""
    match node:
        case ast.Compare(ops=[op]) | ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            changed = copy.deepcopy(node)
            if isinstance(changed, ast.Compare):
                changed.ops = [SWAPS[type(op)]()]
            else:
                changed.op = SWAPS[type(op)]()
            yield changed
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=bytes() as value):
            yield ast.Constant(value + b"!" if value else b"!")
        case ast.Constant(value=str() as value):
            yield ast.Constant(value + "!")
        case ast.If():
            for outcome in (True, False):
                branch = copy.deepcopy(node)
                branch.test = ast.Constant(outcome)
                yield branch
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Subscript()]):
            yield None


class Points(ast.NodeVisitor):
    """Finds what may be changed: not annotations, docstrings, names of attributes, nor the words of errors."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.AST, str, int | None]] = []

    def generic_visit(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            children = value if isinstance(value, list) else [value]
            for place, child in enumerate(children):
                if isinstance(child, ast.AST) and not self.is_text(node, name, place, child):
                    self.found.append((node, name, place if isinstance(value, list) else None))
                    self.visit(child)

    def is_text(self, parent: ast.AST, field: str, place: int, child: ast.AST) -> bool:
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        naming = isinstance(parent, ast.Assign | ast.AnnAssign) and "slots" in ast.unparse(parent)[:12]
        words = isinstance(parent, ast.Call) and field == "args" and "Error" in ast.unparse(parent.func) and place == 1
        words |= isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("super().__init__", "LibraryMismatch")
        words |= isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("LibraryError", "getattr", "hasattr")
        imports = isinstance(child, ast.Import | ast.ImportFrom)
        return docstring or naming or words or imports or isinstance(child, ast.JoinedStr)


def mutants(path: Path) -> Iterator[tuple[str, str]]:
    """(what was changed, the source with the change)."""
    tree = ast.parse(path.read_text())
    finder = Points()
    finder.visit(tree)
    for parent, name, place in finder.found:
        holder = getattr(parent, name)
        original = holder if place is None else holder[place]
        for variant in variants(original):
            replacement = ast.Pass() if variant is None else variant
            set_child(parent, name, place, replacement)
            if ast.dump(original) == ast.dump(replacement):
                continue
            before, after = (ast.unparse(node).splitlines()[0] for node in (original, replacement))
            around = ast.unparse(parent).splitlines()[0]
            yield (
                f"line {original.lineno}: {before} -> {after}  [{around}]",
                ast.unparse(ast.fix_missing_locations(tree)),
            )
            set_child(parent, name, place, original)


def set_child(parent: ast.AST, name: str, place: int | None, child: ast.AST) -> None:
    if place is None:
        setattr(parent, name, child)
    else:
        getattr(parent, name)[place] = child


class Injector(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated source to the import of one module."""

    def __init__(self, module: str, source: str) -> None:
        self.module, self.source = module, source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self, is_package=False) if name == self.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, f"<mutant of {self.module}>", "exec"), module.__dict__)


def survives(name: str, source: str) -> bool:
    """Whether all tests pass with the mutant; those that know the file best are asked first."""
    module = f"musig2.{name.removesuffix('.py').replace('/', '.')}"
    everything = sorted(TESTS.rglob("test_*.py"), key=order)
    likely = [TESTS / file for file in CLOSEST.get(name, CLOSEST_TO_ALL)]
    return passes(module, source, likely) and passes(module, source, everything)


def passes(module: str, source: str, tests: list[Path]) -> bool:
    """Whether these tests pass with the mutant, in a child of its own."""
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(SECONDS_PER_MUTANT)
        try:
            sys.meta_path.insert(0, Injector(module, source))
            sink = io.StringIO()
            with redirect_stdout(sink), redirect_stderr(sink):
                options = ["-x", "-q", "-c", os.devnull, "-m", "not slow", "-p", "no:cacheprovider", "-W", "ignore"]
                code = pytest.main([*options, *map(str, tests)])
        finally:
            os._exit(int(code))
    _, status = os.waitpid(child, 0)
    return status == 0


def order(path: Path) -> tuple[bool, bool, str]:
    """The tests that fail soonest first, those that start processes last."""
    return ("secrets" in path.name or "fork" in path.name, "failures" in path.name, path.name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    parser.add_argument("files", nargs="*")
    chosen = parser.parse_args()
    paths = [PACKAGE / name for name in chosen.files] or sorted(
        path for path in PACKAGE.rglob("*.py") if "protocol" not in path.parts and path.name not in LEFT_OUT
    )
    files = [(path.relative_to(PACKAGE).as_posix(), path) for path in paths]
    work = [(name, change, source) for name, path in files for change, source in mutants(path)]
    random.Random(chosen.seed).shuffle(work)
    print(f"{len(work)} mutants, seed {chosen.seed}", flush=True)
    ends = time.monotonic() + 60 * chosen.minutes
    children = []
    for job in range(chosen.jobs):
        child = os.fork()
        if child == 0:
            os._exit(min(250, try_all(work[job :: chosen.jobs], ends)))
        children.append(child)
    survivors = sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    print(f"{survivors} unexplained survivors")
    return int(survivors > 0)


def try_all(work: list[tuple[str, str, str]], ends: float) -> int:
    survivors = tried = explained = 0
    for name, change, source in work:
        if time.monotonic() > ends:
            break
        tried += 1
        if survives(name, source):
            known = next((why for (file, part), why in EXPLAINED.items() if file == name and part in change), None)
            explained += known is not None
            survivors += known is None
            print(f"{'explained' if known else 'SURVIVED '} {name} {change}", flush=True)
    print(f"tried {tried} of {len(work)}, {explained} explained", flush=True)
    return survivors


def load_what_children_share() -> None:
    """Everything slow to import but musig2 itself, once, before the children are forked."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for module in ("base58", "coincurve._libsecp256k1", "concurrent.futures", "gmpy2", "hypothesis.strategies"):
        importlib.import_module(module)
    importlib.import_module("tests.musig2.slow_musig2")


if __name__ == "__main__":
    load_what_children_share()
    raise SystemExit(main())
