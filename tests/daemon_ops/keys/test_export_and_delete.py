"""A key that leaves the daemon sealed under its own passphrase, and one that is removed for good."""

from __future__ import annotations

import base64
import sqlite3
from pathlib import Path

import pytest

from daemon.errors import Refused
from daemon.keys import export
from daemon.keys.errors import KeyExists, KeyInUse, UnfitSealedKey, UnknownKey, WrongPassphrase
from daemon.keys.keystore import Keystore
from daemon.keys.ports import Use
from daemon.keys.sealing import KdfCost
from daemon.store import Store
from musig2 import SecretKey
from rpc.methods import samples
from tests.daemon_ops.ops_world import SECRET, generated_passphrase, secret_bytes, started

OWN = "battery staple"
CHEAP = KdfCost(1, 8192)
UNUSED = Use(lambda conn, key: False, "never said")


def nothing(conn: sqlite3.Connection) -> None:
    """Nothing else belongs into the transaction."""


async def exported(keystore: Keystore, datadir: Path) -> tuple[bytes, str]:
    made = await keystore.import_key(secret_bytes(SECRET), "lotus", "savings")
    text = await keystore.export(made.pubkey, secret_bytes(generated_passphrase(datadir)), secret_bytes(OWN))
    return made.pubkey, text


async def test_an_exported_key_comes_back_with_its_own_passphrase(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    pubkey, text = await exported(keystore, tmp_path)
    await keystore.delete(pubkey, [UNUSED], nothing)
    assert keystore.keys() == ()
    back = await keystore.import_sealed(text, secret_bytes(OWN), "lotus")
    assert back.pubkey == pubkey
    with keystore.get(pubkey).reveal() as view:
        assert bytes(view).hex() == SECRET


async def test_what_was_read_from_a_file_with_its_line_break_is_taken_or_the_break_is_named(
    store: Store, tmp_path: Path
) -> None:
    keystore = await started(store, tmp_path)
    pubkey, text = await exported(keystore, tmp_path)
    assert export.read(f"{text}\n", "lotus").pubkey == pubkey
    with pytest.raises(UnfitSealedKey, match="ends in a line break"):
        await keystore.import_sealed(text, secret_bytes(f"{OWN}\n"), "lotus")
    for passphrase, said in ((generated_passphrase(tmp_path) + "\n", True), ("guess", False)):
        with pytest.raises(WrongPassphrase) as caught:
            await keystore.unlock(secret_bytes(passphrase))
        assert ("ends in a line break" in str(caught.value)) == said


async def test_the_text_holds_neither_the_key_nor_a_passphrase(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    _, text = await exported(keystore, tmp_path)
    content = base64.urlsafe_b64decode(text.removeprefix(export.PREFIX) + "==")
    for secret in (bytes.fromhex(SECRET), OWN.encode(), generated_passphrase(tmp_path).encode()):
        assert secret not in content


async def test_an_export_asks_for_the_passphrase_again_even_when_unlocked(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")
    with pytest.raises(WrongPassphrase):
        await keystore.export(made.pubkey, secret_bytes("guess"), secret_bytes(OWN))
    with pytest.raises(UnknownKey):
        await keystore.export(b"\x02" * 33, secret_bytes(generated_passphrase(tmp_path)), secret_bytes(OWN))


async def test_a_locked_daemon_exports_and_stays_locked(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("bip340")
    keystore.lock()
    text = await keystore.export(made.pubkey, secret_bytes(generated_passphrase(tmp_path)), secret_bytes(OWN))
    assert export.read(text, "bip340").pubkey == made.pubkey
    assert keystore.locked


async def test_a_sealed_key_of_the_other_scheme_or_under_another_passphrase_is_refused(
    store: Store, tmp_path: Path
) -> None:
    keystore = await started(store, tmp_path)
    _, text = await exported(keystore, tmp_path)
    with pytest.raises(UnfitSealedKey, match="holds a key of lotus"):
        await keystore.import_sealed(text, secret_bytes(OWN), "bip340")
    with pytest.raises(UnfitSealedKey, match="does not open"):
        await keystore.import_sealed(text, secret_bytes("other"), "lotus")
    with pytest.raises(KeyExists):
        await keystore.import_sealed(text, secret_bytes(OWN), "lotus")


def test_the_example_of_the_docs_opens() -> None:
    key = export.read(samples.SEALED_KEY, "lotus")
    assert (key.pubkey.hex(), key.scheme) == (samples.KEY_A, "lotus")
    assert export.opened(key, secret_bytes(OWN)).pubkey.hex() == samples.KEY_A


def cheap_text() -> str:
    return export.export(SecretKey.from_buffer(bytearray.fromhex(SECRET)), "lotus", secret_bytes(OWN), CHEAP)


def opened(text: str) -> SecretKey:
    return export.opened(export.read(text, "lotus"), secret_bytes(OWN))


def test_no_byte_of_the_text_can_be_changed() -> None:
    text = cheap_text()
    content = base64.urlsafe_b64decode(text.removeprefix(export.PREFIX) + "==")
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(Refused):
            opened(export.PREFIX + base64.urlsafe_b64encode(changed).decode().rstrip("="))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must begin with"),
        ("KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn", "must begin with"),
        (export.PREFIX, "is damaged"),
        (export.PREFIX + "!!", "is damaged"),
        (samples.SEALED_KEY[:-9], "is damaged"),
        (samples.SEALED_KEY.replace("AAAAAAAAAAM", "AAAAAAAAAP8"), "has work factors"),
    ],
)
def test_a_malformed_exported_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(UnfitSealedKey, match=said):
        export.read(text, "lotus")


async def test_a_key_in_use_is_not_deleted(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")
    with pytest.raises(KeyInUse, match="This key is in use: stop it"):
        await keystore.delete(made.pubkey, [UNUSED, Use(lambda conn, key: key == made.pubkey, "stop it.")], nothing)
    assert (await started(store, tmp_path)).keys() == keystore.keys() == (made.pubkey,)


async def test_a_deleted_key_is_gone_after_a_restart_and_from_memory(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")
    secret = keystore.get(made.pubkey)
    await keystore.delete(made.pubkey, [UNUSED], nothing)
    assert repr(secret) == f"<SecretKey of {made.pubkey.hex()}>"
    with pytest.raises(Exception, match="was wiped"), secret.reveal():
        raise AssertionError("the key is still there")
    assert (await started(store, tmp_path)).keys() == ()
    with pytest.raises(UnknownKey):
        await keystore.delete(made.pubkey, [], nothing)


async def test_a_deletion_is_one_transaction(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")

    def fails(conn: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("no room")

    with pytest.raises(sqlite3.OperationalError):
        await keystore.delete(made.pubkey, [], fails)
    assert keystore.keys() == (made.pubkey,)
    assert (await started(store, tmp_path)).keys() == (made.pubkey,)
