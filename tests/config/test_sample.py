"""The sample file: made from the model of the settings, complete, and valid in both of its forms."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from config.load import load_settings
from config.sample import sample
from config.settings import Settings, setting_names
from daemon.commands.settings import FLAGS
from daemon.main import main

FILE = Path(__file__).parents[2] / "docs/musigd.toml"
EXAMPLES = {
    "rpc.tls_cert",
    "rpc.tls_key",
    "rpc.cookie_group",
    "keys.passphrase_file",
    "p2p.socks5",
    "p2p.socks5_login",
    "policy.file",
}  # unset by default


def test_the_file_in_the_docs_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "sample"]) == 0
    assert FILE.read_text() == capsys.readouterr().out, "run musigd config sample >docs/musigd.toml"


def test_the_unchanged_sample_changes_no_setting() -> None:
    settings = load_settings(flags={}, file=FILE)
    assert all(settings.value_of(name) == Settings().value_of(name) for name in setting_names())


def test_the_sample_has_every_setting_with_its_default(tmp_path: Path) -> None:
    file = tmp_path / "musigd.toml"
    file.write_text(re.sub(r"^#(?=\w+ = )", "", sample(()), flags=re.MULTILINE))
    settings = load_settings(flags={}, file=file)
    assert {name for name in setting_names() if settings.origin_of(name) == f"file {file}"} == set(setting_names())
    changed = {name for name in setting_names() if settings.value_of(name) != Settings().value_of(name)}
    assert changed == EXAMPLES
    assert tomllib.loads(file.read_text())["rpc"]["tls_cert"] == "/etc/musigd/cert.pem"


def test_every_setting_is_explained_in_words_of_its_own() -> None:
    meanings = [each.description for each in _fields()]
    assert all(meaning and meaning.endswith(".") and meaning[0] != " " for meaning in meanings)
    assert len(set(meanings)) == len(list(setting_names()))


def _fields() -> list[FieldInfo]:
    sections = (info.annotation for info in Settings.model_fields.values() if info.description is None)
    nested = [section.model_fields for section in sections if isinstance(section, type)]
    return [info for info in Settings.model_fields.values() if info.description] + [
        info for fields in nested for info in fields.values()
    ]


def test_the_sample_names_variable_flag_and_what_a_reload_takes_over() -> None:
    text = sample(FLAGS)
    assert "# (MUSIGD_LOG__LEVEL, --log-level, SIGHUP takes it over)\n#level" in text
    assert "# (MUSIGD_P2P__BOOTSTRAP, --bootstrap)\n#bootstrap = []" in text
    assert "# (MUSIGD_RPC__TLS_CERT, SIGHUP takes it over; unset by default)\n#tls_cert" in text
