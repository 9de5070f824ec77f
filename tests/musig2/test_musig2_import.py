"""What is checked when the package is imported: symbols, layouts, known answers, and the answer to misuse."""

import importlib.util
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from musig2 import LibraryMismatch, known_answers
from musig2.curve import secp
from tests.musig2.musig2_world import REAL, FailingLibrary
from tests.musig2.slow_musig2 import G, encode


@pytest.mark.parametrize("symbol", secp._SYMBOLS.split())
def test_a_missing_symbol_is_named(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class OlderLibrary:
        def __getattr__(self, name: str) -> Any:
            if name == f"secp256k1_{symbol}":
                raise AttributeError(name)
            return getattr(REAL, name)

    monkeypatch.setattr(secp, "lib", OlderLibrary())
    with pytest.raises(LibraryMismatch, match=f"no secp256k1_{symbol}") as refused:
        secp._probe()
    assert isinstance(refused.value, ImportError)
    assert "install coincurve" in str(refused.value)


def test_another_layout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(secp._SIZES, "secp256k1_musig_secnonce", 100)
    with pytest.raises(LibraryMismatch, match="musig_secnonce is not 100 bytes"):
        secp._probe()


@pytest.mark.parametrize("check", known_answers._CHECKS, ids=lambda check: check.__name__)
def test_a_wrong_known_answer_is_named(check: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    assert check()

    def wrong() -> bool:
        return False

    wrong.__name__ = check.__name__
    checks = [wrong if each is check else each for each in known_answers._CHECKS]
    monkeypatch.setattr(known_answers, "_CHECKS", tuple(checks))
    with pytest.raises(LibraryMismatch, match=f"{check.__name__} gives another answer"):
        known_answers.check()


def test_a_known_answer_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "lib", FailingLibrary("musig_nonce_gen"))
    with pytest.raises(LibraryMismatch, match="_module_session failed"):
        known_answers.check()


def lie(target: str, answer: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(target, lambda *_, **__: answer)


LIES = {
    "_generator": lie("musig2.curve.secp.pubkey_serialize", bytes(33)),
    "_combination": lie("musig2.curve.points.combination", secp.pubkey_parse(encode(G))),
    "_combination at infinity": lie("musig2.curve.points.combination", None),
    "_tagged_hash": lie("musig2.curve.secp.tagged_hash_into", None),
    "_residue of everything": lie("musig2.known_answers.is_square", True),
    "_residue of nothing": lie("musig2.known_answers.is_square", False),
    "_bip340_signature": lie("musig2.curve.secp.schnorrsig_sign", bytes(64)),
    "_bip340_signature unverified": lie("musig2.curve.secp.schnorrsig_verify", False),
    "_lotus_signature": lie("musig2.curve.secp.rfc6979_nonce", None),
    "_lotus_signature unverified": lie("musig2.lotus.combination", None),
    "_module_session": lie("musig2.curve.secp.musig_partial_sign", bytes(32)),
    "_generic_partial_signature": lie("musig2.curve.secp.seckey_negate", None),
}


@pytest.mark.parametrize(("answer", "tell"), LIES.items(), ids=LIES)
def test_each_known_answer_detects_its_fault(
    answer: str, tell: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = next(check for check in known_answers._CHECKS if check.__name__ == answer.split(maxsplit=1)[0])
    monkeypatch.setattr(known_answers, "_CHECKS", (check,))
    known_answers.check()
    tell(monkeypatch)
    if answer.startswith("_lotus_signature") and "unverified" not in answer:  # a k of 0 is drawn again and again
        monkeypatch.setattr(secp, "seckey_verify", lambda _: True)
    with pytest.raises(LibraryMismatch, match=check.__name__):
        known_answers.check()


def test_a_library_that_tolerates_misuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "pubkey_combine", lambda _: None)
    with pytest.raises(LibraryMismatch, match="_misuse_is_an_exception"):
        known_answers.check()


IMPORTS = {
    "no module": ("sys.modules['coincurve._libsecp256k1'] = None", "cannot be imported"),
    "no musig": (
        "import coincurve._libsecp256k1 as real, types; old = types.SimpleNamespace(ffi=real.ffi, "
        "lib=types.SimpleNamespace()); sys.modules['coincurve._libsecp256k1'] = old",
        "no secp256k1_context_create",
    ),
}


@pytest.mark.parametrize(("prepare", "text"), IMPORTS.values(), ids=IMPORTS)
def test_the_import_fails_clearly_without_the_library(prepare: str, text: str) -> None:
    script = textwrap.dedent(f"""
        import sys
        {prepare}
        try:
            import musig2
        except ImportError as error:
            print(type(error).__name__, error)
    """)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("LibraryMismatch libsecp256k1 differs"), ran.stderr
    assert text in ran.stdout


def test_it_loads_where_no_page_may_be_writable_and_executable() -> None:
    """As in a service with MemoryDenyWriteExecute; a kernel that knows no such switch answers -1 and is not asked."""
    script = "import ctypes; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); import musig2; print('loaded')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout == "loaded\n", ran.stderr


def test_the_module_names_a_library_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coincurve._libsecp256k1", None)
    spec = importlib.util.spec_from_file_location("secp_again", secp.__file__)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(LibraryMismatch, match="cannot be imported"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
