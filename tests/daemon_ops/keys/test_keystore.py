"""Keys are created, imported, used and paused; one secret belongs to one scheme."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

import musig2
from daemon.api.guard import refusal_of
from daemon.errors import Refused
from daemon.keys.ports import Arrival
from daemon.store import Store
from rpc.errors import ApiError
from tests.daemon_ops.ops_world import NEGATED, SECRET, generated_passphrase, secret_bytes, started

WIF_MAIN = "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1"
WIF_TEST_UNCOMPRESSED = "93KCDD4LdP4BDTNBXrvKUCVES2jo9dAKKvhyWpNEMstuxDauHty"
WIF_OF_ANOTHER_COIN = "bmw3jRFSvuuHLMcHB8Vj1PK8i2NqJ5ve2z5MZfDgQQpQAKsrqE"
MSG = b"\x07" * 32


async def refused(reason: str, awaitable: object) -> ApiError:
    """The reason that a client is told."""
    with pytest.raises(Refused) as caught:
        await awaitable
    told = refusal_of(caught.value)
    assert told is not None
    assert told.reason == reason
    return told


@pytest.mark.parametrize("scheme", ["lotus", "bip340"])
async def test_a_made_key_signs_under_its_scheme_also_after_a_restart(
    store: Store, tmp_path: Path, scheme: str
) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create(scheme, "savings")
    again = await started(store, tmp_path)
    for one in (keystore, again):
        signature = one.sign(made.pubkey, MSG)
        assert musig2.scheme(scheme).schnorr_verify(made.pubkey, MSG, signature)
    assert again.listing() == (made,)
    assert (again.keys(), again.scheme_of(made.pubkey), made.label) == ((made.pubkey,), scheme, "savings")


@pytest.mark.parametrize("text", [SECRET, SECRET.upper(), WIF_MAIN, WIF_TEST_UNCOMPRESSED, f"{WIF_MAIN}\r\n"])
async def test_hex_and_wif_import_the_same_key(store: Store, tmp_path: Path, text: str) -> None:
    keystore = await started(store, tmp_path)
    imported = await keystore.import_key(secret_bytes(text), "lotus")
    assert imported.pubkey == musig2.SecretKey.from_buffer(bytearray.fromhex(SECRET)).pubkey


@pytest.mark.parametrize(
    "text",
    ["", "\n", "00" * 32, "ff" * 32, SECRET[:-2], "0x" + SECRET, WIF_MAIN[:-1] + "2", WIF_OF_ANOTHER_COIN, "é" * 40],
)
async def test_a_malformed_private_key_is_refused_without_being_repeated(
    store: Store, tmp_path: Path, text: str
) -> None:
    keystore = await started(store, tmp_path)
    error = await refused("invalid_key", keystore.import_key(secret_bytes(text), "lotus"))
    assert not text or text not in str(error.to_json())
    assert keystore.keys() == ()


@pytest.mark.parametrize("second", [SECRET, NEGATED])
@pytest.mark.parametrize("scheme", ["lotus", "bip340"])
async def test_one_secret_has_one_scheme(store: Store, tmp_path: Path, second: str, scheme: str) -> None:
    keystore = await started(store, tmp_path)
    await keystore.import_key(secret_bytes(SECRET), "lotus")
    error = await refused("already_exists", keystore.import_key(secret_bytes(second), scheme))
    assert second not in str(error.to_json())
    assert len(keystore.keys()) == 1


async def test_two_imports_of_one_secret_at_once_leave_one_key(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    results = await asyncio.gather(
        keystore.import_key(secret_bytes(SECRET), "lotus"),
        keystore.import_key(secret_bytes(SECRET), "bip340"),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Refused) for result in results) == 1


async def test_an_unknown_key_is_refused(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    for use in (keystore.get, keystore.scheme_of, keystore.info, lambda key: keystore.sign(key, MSG)):
        with pytest.raises(Refused) as caught:
            use(b"\x02" * 33)
        assert caught.value.reason == "unknown_key"
    await refused("unknown_key", keystore.pause(b"\x02" * 33))


async def test_a_paused_key_signs_only_where_that_is_said(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")
    assert (await keystore.pause(made.pubkey)).paused
    for one in (keystore, await started(store, tmp_path)):
        with pytest.raises(Refused) as caught:
            one.sign(made.pubkey, MSG)
        assert caught.value.reason == "paused"
        one.sign(made.pubkey, MSG, even_paused=True)
    await keystore.resume(made.pubkey)
    keystore.sign(made.pubkey, MSG)


async def test_lock_wipes_before_it_emits_its_event(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    made = await keystore.create("lotus")
    secret = keystore.get(made.pubkey)
    seen: list[bool] = []
    keystore.on_lock(lambda: seen.append(keystore.locked))
    keystore.on_unlock(lambda: seen.append(keystore.locked))
    keystore.lock()
    keystore.lock()
    assert seen == [True]
    with pytest.raises(musig2.KeyWiped):
        musig2.scheme("lotus").schnorr_sign(secret, MSG)
    with pytest.raises(Refused) as caught:
        keystore.get(made.pubkey)
    assert caught.value.reason == "locked"
    await refused("locked", keystore.create("lotus"))
    await refused("locked", keystore.import_key(secret_bytes(SECRET), "lotus"))
    await keystore.unlock(secret_bytes(generated_passphrase(tmp_path)))
    assert seen == [True, False]
    keystore.sign(made.pubkey, MSG)


async def test_an_unlock_with_a_duration_ends_automatically(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    keystore.lock()
    locked = asyncio.Event()
    keystore.on_lock(locked.set)
    await keystore.unlock(secret_bytes(generated_passphrase(tmp_path)), duration_ms=1)
    await asyncio.wait_for(locked.wait(), 5)
    assert keystore.locked
    assert keystore.locks_at_ms is None


async def test_a_wrong_passphrase_is_refused_and_locks_nothing(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)
    error = await refused("wrong_passphrase", keystore.unlock(secret_bytes("hunter2")))
    assert "hunter2" not in str(error.to_json())
    assert not keystore.locked


async def test_a_key_is_stored_in_one_transaction(store: Store, tmp_path: Path) -> None:
    keystore = await started(store, tmp_path)

    def broken(conn: sqlite3.Connection, pubkey: bytes) -> None:
        raise KeyError("token")

    with pytest.raises(KeyError):
        await keystore.create("lotus", arrival=Arrival(stored=broken))
    assert keystore.keys() == ()
    assert (await started(store, tmp_path)).keys() == ()
