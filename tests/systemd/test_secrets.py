"""Credentials of systemd, and wallets that run as other users."""

from __future__ import annotations

import json

import pytest

from tests.systemd.unit import NAME, STATE, Unit

PASSPHRASE = "correct horse battery staple"
PLAIN = "/etc/musigd/passphrase"
SEALED = "/etc/musigd/passphrase.cred"


def test_a_passphrase_from_a_credential_is_nowhere_in_the_state_directory(unit: Unit) -> None:
    unit.machine.write(PLAIN, f"{PASSPHRASE}\n")
    unit.drop_in(f"LoadCredential=passphrase:{PLAIN}")

    unit.start()

    assert unit.call("getInfo")["locked"] is False
    assert unit.machine.attempt("grep", "-rlF", PASSPHRASE, f"{STATE}/").stdout == ""
    assert unit.machine.attempt("test", "-e", f"{STATE}/passphrase").returncode == 1


def test_an_encrypted_credential_opens_the_keys(unit: Unit) -> None:
    unit.machine.write("/run/typed", PASSPHRASE)
    sealing = ("systemd-creds", "encrypt", "--with-key=host", "--name=passphrase", "/run/typed", SEALED)
    unit.machine.run("mkdir", "-p", "/etc/musigd")
    unit.machine.run(*sealing)
    unit.drop_in(f"LoadCredentialEncrypted=passphrase:{SEALED}")
    unit.start()
    made = unit.call("createKey", scheme="bip340")["publicKey"]

    unit.machine.run("systemctl", "restart", NAME)

    assert unit.call("getInfo")["locked"] is False
    assert [key["publicKey"] for key in unit.call("listKeys")["keys"]] == [made]


def test_another_passphrase_ends_the_start_with_a_sentence_and_is_not_tried_again(unit: Unit) -> None:
    unit.machine.write(PLAIN, PASSPHRASE)
    unit.drop_in(f"LoadCredential=passphrase:{PLAIN}")
    unit.start()
    unit.machine.run("systemctl", "stop", NAME)

    unit.machine.write(PLAIN, "wrong horse")
    done = unit.systemctl("start")

    assert done.returncode != 0
    assert "does not open the keys" in unit.journal.until("musigd: ")
    assert (unit.exit_status(), unit.show("NRestarts"), unit.show("ActiveState")) == ("2", "0", "failed")


@pytest.fixture
def wallets(unit: Unit) -> Unit:
    """A unit with a group of wallets, set up as its file says, and the users `member` and `stranger`."""
    unit.machine.run("groupadd", "--force", "musig-wallets")
    for user, options in (("member", ["--groups=musig-wallets"]), ("stranger", [])):
        if unit.machine.attempt("id", user).returncode != 0:
            unit.machine.run("useradd", *options, user)
    unit.drop_in("Group=musig-wallets")
    unit.environment(MUSIGD_RPC__COOKIE_GROUP="musig-wallets")
    return unit


def test_a_member_of_the_wallets_group_finds_the_daemon_and_is_let_in(wallets: Unit) -> None:
    wallets.start()

    said = wallets.machine.run(*as_user("member", "getInfo"))

    assert json.loads(said)["ready"] is True


def test_the_wallets_group_is_let_in_after_a_restart_too(wallets: Unit) -> None:
    wallets.start()
    wallets.machine.run("systemctl", "restart", NAME)

    assert json.loads(wallets.machine.run(*as_user("member", "getInfo")))["ready"] is True


def test_members_of_the_wallets_group_read_nothing_but_cookie_and_endpoint(wallets: Unit) -> None:
    wallets.start()

    listed = wallets.machine.attempt("runuser", "-u", "member", "--", "ls", f"{STATE}/")
    tried = ("musigd.sqlite3", "identity", "passphrase", "lock")
    read = {name: wallets.machine.attempt("runuser", "-u", "member", "--", "cat", f"{STATE}/{name}") for name in tried}

    assert listed.returncode != 0
    assert [name for name, done in read.items() if done.returncode == 0] == []


def test_a_user_outside_the_wallets_group_is_refused(wallets: Unit) -> None:
    wallets.start()

    done = wallets.machine.attempt(*as_user("stranger", "getInfo"))

    assert done.returncode != 0
    assert done.stdout == ""


def as_user(user: str, method: str) -> tuple[str, ...]:
    return ("runuser", "-u", user, "--", "/opt/musigd/bin/musig-cli", "--datadir", STATE, method)
