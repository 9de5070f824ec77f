"""Secret keys and nonces: shown nowhere, copied nowhere, wiped at the end."""

import copy
import ctypes
import gc
import pickle
import re
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musig2 import KeyWiped, MusigError, NonceConsumed, SecretKey, keys, scheme
from musig2.curve import memory
from tests.musig2.musig2_world import SCHEMES, assert_names, nonce_scalars, seckey, secret, world
from tests.musig2.slow_musig2 import N, base_mul, encode

COPIES: list[Callable[[Any], object]] = [
    copy.copy,
    copy.deepcopy,
    pickle.dumps,
    lambda thing: pickle.dumps(thing, protocol=0),
]


@pytest.mark.parametrize("make_copy", COPIES)
def test_secrets_cannot_be_copied(make_copy: Callable[[Any], object]) -> None:
    made = world(scheme("lotus"))
    for thing in (made.keys[0], made.secnonces[0]):
        with pytest.raises(TypeError, match="holds a secret"):
            make_copy(thing)


@pytest.mark.parametrize("name", SCHEMES)
def test_secrets_are_not_shown(name: str) -> None:
    made = world(scheme(name))
    key, nonce = made.keys[0], made.secnonces[0]
    numbers = [secret(key), *nonce_scalars(nonce)]
    shown = f"{key!r} {key} {nonce!r} {nonce} {made.session!r} {made.keyagg!r} {key._slot!r} {vars_of(nonce)}"
    for number in numbers:
        assert f"{number:064x}" not in shown
        assert str(number) not in shown
    assert key.pubkey.hex() in repr(key)
    assert "unused" in repr(nonce)
    nonce.wipe()
    assert "consumed" in repr(nonce)


def vars_of(thing: object) -> str:
    return repr([getattr(thing, name) for name in vars(type(thing))["__slots__"] if name != "_cell"])


@pytest.mark.parametrize("name", SCHEMES)
def test_errors_show_no_secret(name: str) -> None:
    made = world(scheme(name))
    numbers = [secret(made.keys[0]), *nonce_scalars(made.secnonces[0])]
    raised = []
    for _ in range(2):
        try:
            made.scheme.sign(made.secnonces[0], made.keys[1], made.session)
        except MusigError as error:
            raised.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    assert len(raised) == 2
    for number in numbers:
        assert all(f"{number:064x}" not in text and f"{number:064X}" not in text for text in raised)


def test_a_key_is_taken_out_of_its_buffer() -> None:
    source = bytearray((7).to_bytes(32))
    key = SecretKey.from_buffer(source)
    assert source == bytearray(32)
    assert key.pubkey == encode(base_mul(7))
    assert secret(key) == 7


@pytest.mark.parametrize("number", [0, N, N + 1, 2**256 - 1])
def test_a_key_out_of_range_is_refused_and_its_buffer_wiped(number: int) -> None:
    source = bytearray(number.to_bytes(32))
    assert_names("secret key", lambda: SecretKey.from_buffer(source), "below the group order")
    assert source == bytearray(32)


@pytest.mark.parametrize("size", [0, 31, 33, 500])
def test_a_key_of_the_wrong_size_is_refused_and_its_buffer_wiped(size: int) -> None:
    source = bytearray(b"\x01" * size)
    assert_names("secret key", lambda: SecretKey.from_buffer(source), "32 bytes")
    assert source == bytearray(size)


@pytest.mark.parametrize("source", [bytes(range(32)), "00" * 32, 7, memoryview(bytes(32)), None])
def test_a_key_comes_in_something_that_can_be_wiped(source: Any) -> None:
    assert_names("secret key", lambda: SecretKey.from_buffer(source), "bytearray")


def test_generated_keys_differ() -> None:
    assert len({SecretKey.generate().pubkey for _ in range(100)}) == 100


def test_a_revealed_key_is_gone_after_its_block() -> None:
    key = SecretKey.generate()
    with key.reveal() as view:
        assert len(view) == 32
        assert view.readonly
        number = int.from_bytes(view)
    assert encode(base_mul(number)) == key.pubkey
    with pytest.raises(ValueError, match="released"):
        bytes(view)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_wiped_key_does_nothing_more(name: str) -> None:
    made = world(scheme(name))
    key, slot = made.keys[0], made.keys[0]._slot
    key.wipe()
    key.wipe()
    assert not any(slot.view)
    actions: list[Callable[[], object]] = [
        lambda: made.sign(0),
        lambda: made.scheme.schnorr_sign(key, bytes(32)),
        lambda: made.scheme.nonce_gen(key, key.pubkey, made.keyagg, made.msg),
        lambda: secret(key),
        key.keypair,
    ]
    for action in actions:
        with pytest.raises(KeyWiped):
            action()
    with pytest.raises(NonceConsumed):
        made.sign(0)
    assert len(key.pubkey) == 33


def test_a_dropped_secret_is_wiped() -> None:
    key = SecretKey.generate()
    view = key._slot.view
    assert any(view)
    del key
    gc.collect()
    assert not any(view)


def test_a_wiped_key_keeps_its_slot_from_others() -> None:
    """Another thread may be reading it: it must see zeros, never a different key."""
    key = SecretKey.generate()
    view = key.scalar()
    key.wipe()
    others = [SecretKey.generate() for _ in range(300)]
    assert not any(view)
    assert len(others) == 300


def test_slots_of_dropped_secrets_are_used_again() -> None:
    regions = [seckey("01" * 32) for _ in range(300)]
    del regions
    free = len(memory._arena._free)
    for _ in range(2000):
        SecretKey.generate()
    assert len(memory._arena._free) == free


SCANNED = textwrap.dedent("""
    import ctypes, sys
    from musig2 import SecretKey, Tweak, TweakKind, scheme

    def pause(*slots):
        print(*(ctypes.addressof(ctypes.c_char.from_buffer(slot.view)) for slot in slots), flush=True)
        sys.stdin.readline()

    used, key = scheme(sys.argv[1]), SecretKey.generate()
    keyagg = used.key_agg([key.pubkey], (Tweak(TweakKind.TAPROOT),))
    nonce, public = used.nonce_gen(key, key.pubkey, keyagg, bytes(32))
    session = used.session(keyagg, used.nonce_agg([public]), bytes(32))
    pause(key._slot, nonce._cell[0])
    used.sign(nonce, key, session)
    used.schnorr_sign(key, bytes(32))
    with key.reveal() as view:
        assert len(view) == 32
    pause()
    key.wipe()
    pause()
""")


def read_memory(pid: int, start: int, size: int) -> bytes:
    with Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        mem.seek(start)
        return mem.read(size)


def find(pid: int, needles: dict[str, bytes]) -> dict[str, list[int]]:
    """Every address in the writable memory of a process where one of these byte strings stands."""
    found: dict[str, list[int]] = {name: [] for name in needles}
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        place = re.match(r"(\w+)-(\w+) (\S+)", line)
        assert place is not None
        start, end, flags = place.groups()
        if "w" not in flags or "[v" in line:
            continue
        data = read_memory(pid, int(start, 16), int(end, 16) - int(start, 16))
        for name, needle in needles.items():
            found[name] += [int(start, 16) + hit.start() for hit in re.finditer(re.escape(needle), data)]
    return found


@pytest.mark.parametrize("name", SCHEMES)
def test_no_copy_of_a_secret_lies_anywhere_in_the_process(name: str) -> None:
    """Searched from outside: the heap of Python, the stack and the data of libsecp256k1, both byte orders."""
    command = [sys.executable, "-c", SCANNED, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        key_at, nonce_at = (int(number) for number in child.stdout.readline().split())
        start = nonce_at + (4 if name == "bip340" else 0)
        secrets = {
            "d": read_memory(child.pid, key_at, 32),
            "k1": read_memory(child.pid, start, 32),
            "k2": read_memory(child.pid, start + 32, 32),
        }
        needles = secrets | {f"{label} reversed": value[::-1] for label, value in secrets.items()}
        nowhere: dict[str, list[int]] = {label: [] for label in needles}
        in_slot = {"d": [key_at, key_at + 32]}
        assert find(child.pid, needles) == nowhere | in_slot | {"k1": [start], "k2": [start + 32]}
        child.stdin.write("\n")
        child.stdout.readline()
        assert find(child.pid, needles) == nowhere | in_slot
        child.stdin.write("\n")
        child.stdout.readline()
        assert find(child.pid, needles) == nowhere
        child.stdin.write("\n")


def test_the_pages_of_secrets_are_locked_and_undumpable() -> None:
    """As the kernel tells it: `lo` locked, `dd` left out of dumps, `wf` wiped on fork."""
    key = SecretKey.generate()
    address = ctypes.addressof(ctypes.c_char.from_buffer(key._slot.view))
    granted = memory.protection()
    flags = vm_flags(address)
    assert ("lo" in flags, "dd" in flags, "wf" in flags) == (
        granted.locked,
        granted.undumpable,
        granted.wiped_on_fork,
    )
    assert granted.undumpable
    assert granted.wiped_on_fork


def vm_flags(address: int) -> list[str]:
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if head := re.match(r"(\w+)-(\w+) ", line):
            inside = int(head[1], 16) <= address < int(head[2], 16)
        elif inside and line.startswith("VmFlags"):
            return line.split()[1:]
    raise AssertionError("this address is not mapped")


def test_keys_module_offers_no_bytes_of_a_secret() -> None:
    assert not [name for name in dir(keys.SecretKey) if "bytes" in name or "hex" in name]
