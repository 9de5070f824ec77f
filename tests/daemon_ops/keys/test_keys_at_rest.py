"""The disk, the logs and exceptions hold no secret."""

from __future__ import annotations

import io
import logging
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from config.logging import log_to
from daemon.errors import EXIT_CONFIGURATION, Refused
from daemon.keys import sealing, vault
from daemon.keys.passphrase import PassphraseError
from daemon.keys.sealing import SealBroken, SealingKey
from daemon.store import Store
from tests.daemon_ops.ops_world import CHEAP, SECRET, generated_passphrase, secret_bytes, started


def database_bytes(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("musigd.sqlite3*"))


async def test_the_database_holds_neither_key_nor_passphrase(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    await keystore.import_key(secret_bytes(SECRET), "lotus", "marker-label")
    await store.write(lambda conn: conn.execute("PRAGMA user_version"))
    content = database_bytes(tmp_path)
    assert b"marker-label" in content  # so the key's row is really in these bytes
    passphrase = generated_passphrase(tmp_path)
    for secret in (bytes.fromhex(SECRET), SECRET.encode(), passphrase.encode(), bytes.fromhex(passphrase)):
        assert secret not in content


async def test_the_generated_passphrase_is_private(store: Store, tmp_path: Path) -> None:
    await started(store, tmp_path)
    assert stat.S_IMODE((tmp_path / "passphrase").stat().st_mode) == 0o600
    assert len(generated_passphrase(tmp_path)) == 64


async def test_without_the_generated_passphrase_the_keys_stay_locked(store: Store, tmp_path: Path) -> None:
    await started(store, tmp_path)
    passphrase = generated_passphrase(tmp_path)
    (tmp_path / "passphrase").unlink()
    keystore = await started(store, tmp_path)
    assert keystore.locked
    assert not (tmp_path / "passphrase").exists()
    await keystore.unlock(secret_bytes(passphrase))


async def test_a_configured_file_opens_the_keys_and_a_wrong_one_stops_the_start(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("correct horse\n")
    made = await (await started(store, tmp_path, file)).create("lotus")
    assert not (tmp_path / "passphrase").exists()
    (await started(store, tmp_path, file)).get(made.pubkey)
    file.write_text("battery staple\n")
    with pytest.raises(PassphraseError) as caught:
        await started(store, tmp_path, file)
    assert caught.value.exit_code == EXIT_CONFIGURATION
    assert str(file) in str(caught.value)
    assert "keys.passphrase_file" in str(caught.value)
    assert "battery" not in str(caught.value)
    assert (await started(store, tmp_path)).locked  # without the file: up, but locked


@pytest.mark.parametrize("content", ["", "\n", "x" * 5_000])
async def test_a_useless_passphrase_file_is_refused_with_a_sentence(store: Store, tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret.txt"
    file.write_text(content)
    with pytest.raises(PassphraseError, match="one line"):
        await started(store, tmp_path, file)


async def test_a_missing_passphrase_file_is_refused_with_a_sentence(store: Store, tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="cannot be read"):
        await started(store, tmp_path, tmp_path / "nowhere")


async def test_a_changed_passphrase_opens_everything_and_the_old_one_nothing(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    old = generated_passphrase(tmp_path)
    made = await keystore.create("lotus")
    before = store.read(lambda conn: conn.execute("SELECT sealed FROM keys").fetchone())
    await keystore.change_passphrase(secret_bytes(old), secret_bytes("battery staple"))
    assert store.read(lambda conn: conn.execute("SELECT sealed FROM keys").fetchone()) != before
    assert not (tmp_path / "passphrase").exists()
    keystore.get(made.pubkey)
    again = await started(store, tmp_path)
    assert again.locked
    with pytest.raises(Refused):
        await again.unlock(secret_bytes(old))
    await again.unlock(secret_bytes("battery staple"))
    again.get(made.pubkey)


async def test_a_chosen_passphrase_in_the_usual_file_opens_the_keys_and_a_left_over_there_does_not(
    store: Store, tmp_path: Path
) -> None:
    keystore = await started(store, tmp_path)
    old = generated_passphrase(tmp_path)
    await keystore.change_passphrase(secret_bytes(old), secret_bytes("battery staple"))
    assert not keystore.passphrase_file_is_stale
    (tmp_path / "passphrase").write_text(old)
    assert (await started(store, tmp_path)).locked
    (tmp_path / "passphrase").write_text("battery staple\n")
    again = await started(store, tmp_path)
    assert not again.locked
    await again.change_passphrase(secret_bytes("battery staple"), secret_bytes("another one"))
    assert again.passphrase_file_is_stale
    assert (tmp_path / "passphrase").exists()


async def test_locked_keys_stay_locked_while_the_passphrase_changes(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    old = generated_passphrase(tmp_path)
    made = await keystore.create("lotus")
    keystore.lock()
    await keystore.change_passphrase(secret_bytes(old), secret_bytes("battery staple"))
    assert keystore.locked
    await keystore.unlock(secret_bytes("battery staple"))
    keystore.get(made.pubkey)


@pytest.mark.parametrize("change", ["scheme = 'bip340'", "sealed = zeroblob(72)", "pubkey = randomblob(33)"])
async def test_an_altered_row_does_not_open(store: Store, tmp_path: Path, change: str) -> None:
    keystore = await started(store, tmp_path)
    await keystore.import_key(secret_bytes(SECRET), "lotus")
    await store.write(lambda conn: conn.execute(f"UPDATE keys SET {change}"))
    again = await started(store, tmp_path)
    with pytest.raises(SealBroken):
        again.get(again.keys()[0])


async def test_a_cheaper_derivation_does_not_open_the_vault(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    await store.write(lambda conn: conn.execute("UPDATE vault SET opslimit = opslimit + 1"))
    with pytest.raises(PassphraseError):
        await started(store, tmp_path)
    assert not keystore.locked


async def test_nothing_that_holds_a_secret_shows_it(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.import_key(secret_bytes(SECRET), "lotus")
    key = SealingKey.generate()
    row = store.read(vault.load)
    shown = " ".join(repr(value) for value in (keystore, made, keystore.get(made.pubkey), key, row, CHEAP))
    assert SECRET not in shown
    assert key.view.hex() not in shown


def test_sealed_bytes_open_only_under_their_key_and_associated_data() -> None:
    key, other = SealingKey.generate(), SealingKey.generate()
    sealed = sealing.seal(key, memoryview(b"\x05" * 32), b"data")
    assert sealing.unseal(key, sealed, b"data") == b"\x05" * 32
    for wrong in ((other, sealed, b"data"), (key, sealed, b"dat"), (key, sealed[:-1], b"data"), (key, b"", b"data")):
        with pytest.raises(SealBroken):
            sealing.unseal(*wrong)


def test_the_derivation_is_argon2id_as_libsodium_defines_it() -> None:
    from nacl.pwhash import argon2id

    derived = sealing.derive(bytearray(b"passphrase"), b"\x01" * 16, sealing.KdfCost(1, 8192))
    assert bytes(derived.view) == argon2id.kdf(32, b"passphrase", b"\x01" * 16, opslimit=1, memlimit=8192)
    derived.wipe()
    assert bytes(derived.view) == bytes(32)


@pytest.mark.parametrize("form", ["console", "json"])
def test_logs_drop_secrets_wherever_they_stand(form: str) -> None:
    stream = io.StringIO()
    log_to(logging.StreamHandler(stream), "debug", form)
    log = structlog.get_logger("musigd.test")
    try:
        raise ValueError(f'params {{"privateKey": "{SECRET}"}}')
    except ValueError:
        log.exception("it broke", passphrase=SECRET, params={"newPassphrase": SECRET, "list": [{"token": SECRET}]})
    log.info("a header", headers={"Authorization": f"Bearer {SECRET}"}, raw=f"sec: musigd, bearer.{SECRET}")
    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count("[redacted]") >= 6


async def test_removed_rows_leave_no_sealed_bytes_behind(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    await keystore.create("lotus")
    sealed: bytes = store.read(lambda conn: conn.execute("SELECT sealed FROM keys").fetchone()[0])

    def replaced(conn: sqlite3.Connection) -> None:
        conn.execute("UPDATE keys SET sealed = zeroblob(72)")

    await store.write(replaced)
    await store.close()
    assert sealed not in database_bytes(tmp_path)


def test_libsodium_is_initialised_before_the_first_secret_is_sealed() -> None:
    """A second initialisation answers 1; in a process of its own, because others initialise it here."""
    asked = "import daemon.keys.sealing; from nacl._sodium import lib; print(lib.sodium_init())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
