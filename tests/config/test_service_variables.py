"""A Kubernetes Service named like the daemon puts variables among its settings: these are ignored, and no others."""

from __future__ import annotations

import os

import pytest

from config.load import load_settings
from config.settings import SettingsError
from rpc.cli.environment import refuse_unknown_variables
from rpc.cli.params import UsageError

# As a cluster sets them for the Services musigd and musigd-rpc; less the first part of the name.
BY_KUBERNETES = {
    "SERVICE_HOST": "10.96.0.7",
    "SERVICE_PORT": "8327",
    "SERVICE_PORT_RPC": "8327",
    "PORT": "tcp://10.96.0.7:8327",
    "PORT_8327_TCP": "tcp://10.96.0.7:8327",
    "PORT_8327_TCP_PROTO": "tcp",
    "PORT_8327_TCP_PORT": "8327",
    "PORT_8327_TCP_ADDR": "10.96.0.7",
    "PORT_53_UDP": "udp://10.96.0.7:53",
    "RPC_SERVICE_HOST": "fd00::7",
    "RPC_SERVICE_PORT_RPC_WS": "1",
    "RPC_PORT": "tcp://[fd00::7]:8327",
    "RPC_PORT_8327_SCTP_ADDR": "fd00::7",
}
NOT_BY_KUBERNETES = {
    "PORT": "8327",
    "SERVICE_HOST": "localhost",
    "SERVICE_PORT": "99999",
    "PORT_8327_TCP": "http://10.96.0.7:8327",
    "PORT_8327_TCP_NAME": "x",
    "PORT_TCP_ADDR": "10.96.0.7",
    "P2P__PORT": "tcp://10.96.0.7:8327",
    "port": "tcp://10.96.0.7:8327",
    "HOST": "10.96.0.7",
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith("MUSIG"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", BY_KUBERNETES)
def test_the_variables_of_a_kubernetes_service_are_ignored(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MUSIGD_{name}", BY_KUBERNETES[name])
    settings = load_settings(flags={}, file=None)
    assert settings.ignored_variables == (f"MUSIGD_{name}",)
    assert settings == load_settings(flags={}, file=None)
    refuse_unknown_variables({f"MUSIG_{name}": BY_KUBERNETES[name]})


@pytest.mark.parametrize("name", NOT_BY_KUBERNETES)
def test_any_other_unknown_name_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MUSIGD_{name}", NOT_BY_KUBERNETES[name])
    with pytest.raises(SettingsError, match=f"MUSIGD_{name}"):
        load_settings(flags={}, file=None)
    with pytest.raises(UsageError, match=f"MUSIG_{name}"):
        refuse_unknown_variables({f"MUSIG_{name}": NOT_BY_KUBERNETES[name]})


def test_settings_beside_them_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BY_KUBERNETES.items():
        monkeypatch.setenv(f"MUSIGD_{name}", value)
    monkeypatch.setenv("MUSIGD_RPC__LISTEN", "127.0.0.1:1")
    settings = load_settings(flags={}, file=None)
    assert settings.rpc.listen == "127.0.0.1:1"
    assert len(settings.ignored_variables) == len(BY_KUBERNETES)


def test_the_client_reads_its_own_variables() -> None:
    own = {"MUSIG_URL": "http://localhost:1", "MUSIG_TOKEN_FILE": "/t", "MUSIGD_DATADIR": "/d"}
    refuse_unknown_variables(own)
    with pytest.raises(UsageError, match="MUSIG_URI"):
        refuse_unknown_variables({**own, "MUSIG_URI": "http://localhost:1"})
