"""`musigd config check` looks for the files that the settings name, as a start would."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.errors import EXIT_CONFIGURATION
from daemon.main import main


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keys.passphrase_file", "/nowhere/passphrase"),
        ("keys.passphrase_file", "/"),
        ("rpc.cookie_group", "no-such-group"),
        ("p2p.bootstrap", '["/ip4/203.0.113.7/tcp/4327"]'),
        ("p2p.bootstrap", '["/dnsaddr/bootstrap.libp2p.io/p2p/12D3KooW"]'),
        ("p2p.announce", '["/ip4/203.0.113.7/udp/4327/quic-v1"]'),
        ("p2p.announce", '["/dnsaddr/example.org"]'),
        ("p2p.listen", '["/ip4/0.0.0.0/udp/4327/quic-v1"]'),
        ("p2p.listen", '["/foo/bar"]'),
    ],
)
def test_a_missing_file_is_named(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"MUSIGD_{name.upper().replace('.', '__')}", value)
    assert main(["config", "check", "--datadir", str(tmp_path)]) == EXIT_CONFIGURATION
    assert name in capsys.readouterr().err


def test_missing_tls_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TLS_CERT", "TLS_KEY"):
        monkeypatch.setenv(f"MUSIGD_RPC__{name}", "/nowhere/file.pem")
    assert main(["config", "check", "--datadir", str(tmp_path)]) == EXIT_CONFIGURATION
    assert "rpc.tls_cert" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["config", "check"], ["config", "show"], ["doctor"]])
def test_variables_of_a_kubernetes_service_are_ignored_with_one_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSIGD_PORT", "tcp://10.96.0.7:8327")
    monkeypatch.setenv("MUSIGD_SERVICE_HOST", "10.96.0.7")
    assert main([*command, "--datadir", str(tmp_path / "new")]) != EXIT_CONFIGURATION
    (line,) = capsys.readouterr().err.splitlines()
    assert "MUSIGD_PORT, MUSIGD_SERVICE_HOST" in line


def test_good_settings_are_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--datadir", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "The settings are valid.\n"
