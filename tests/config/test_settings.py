"""Settings: four sources in one order, and one sentence for everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import flag_of, load_settings
from config.settings import Settings, SettingsError, setting_names
from config.show import RELOADABLE, as_text, changes, effective
from config.values import parse_endpoint


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in tuple(os.environ):
        if name.upper().startswith("MUSIGD_"):
            monkeypatch.delenv(name)


def toml(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "musigd.toml"
    file.write_text(text)
    return file


def refused(*, flags: dict[str, object] | None = None, file: Path | None = None, must_exist: bool = False) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags=flags or {}, file=file, must_exist=must_exist)
    assert caught.value.exit_code == 2
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_nothing_has_to_be_configured() -> None:
    settings = load_settings(flags={}, file=None)
    assert settings.network == "main"
    assert str(settings.rpc.endpoint) == "127.0.0.1:8327"
    assert settings.p2p.listen == ("/ip4/0.0.0.0/tcp/4327",)
    assert all(settings.origin_of(name) == "default" for name in setting_names())


def test_flags_beat_variables_beat_the_file_beat_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = toml(tmp_path, 'network = "file"\ndrain_ms = 1\n[log]\nlevel = "error"\nformat = "json"\n')
    monkeypatch.setenv("MUSIGD_NETWORK", "variable")
    monkeypatch.setenv("MUSIGD_DRAIN_MS", "2")
    settings = load_settings(flags={"network": "flag", "rpc.listen": None}, file=file)
    assert (settings.network, settings.drain_ms) == ("flag", 2)
    assert (settings.log.format, settings.log.level) == ("json", "error")
    assert [settings.origin_of(name) for name in ("network", "drain_ms", "log.format", "rpc.listen")] == [
        "flag --network",
        "environment MUSIGD_DRAIN_MS",
        f"file {file}",
        "default",
    ]


def test_settings_cannot_be_changed() -> None:
    settings = load_settings(flags={}, file=None)
    for target in (settings, settings.rpc):
        with pytest.raises(ValueError, match="frozen"):
            setattr(target, "network", "x")  # noqa: B010  (a type checker would refuse the plain form)


A, B = "/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2"


@pytest.mark.parametrize("text", [f"{A},{B}", f"{A} {B}", f"{A}, {B},", f",{A},,{B} , ", f'["{A}", "{B}"]'])
def test_lists_are_written_in_one_way_wherever_they_stand(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flag in (text, [text], [*text.split(" ")] if "[" not in text else [text]):
        assert load_settings(flags={"p2p.listen": flag}, file=None).p2p.listen == (A, B)
    assert load_settings(flags={}, file=toml(tmp_path, f"[p2p]\nlisten = '{text}'\n")).p2p.listen == (A, B)
    monkeypatch.setenv("MUSIGD_P2P__LISTEN", text)
    assert load_settings(flags={}, file=None).p2p.listen == (A, B)


@pytest.mark.parametrize(
    "name", ["p2p.listen", "p2p.announce", "p2p.bootstrap", "rpc.allowed_hosts", "rpc.allowed_origins"]
)
@pytest.mark.parametrize("text", [",", "[]", " , "])
def test_a_list_may_be_empty(name: str, text: str) -> None:
    assert load_settings(flags={name: text}, file=None).value_of(name) == ()


@pytest.mark.parametrize("text", ['["a"', '["a", 1]', "false", "0"])
def test_a_malformed_list_is_refused(text: str, tmp_path: Path) -> None:
    quoted = f"'{text}'" if "[" in text else text
    assert "`rpc.allowed_hosts`" in refused(file=toml(tmp_path, f"[rpc]\nallowed_hosts = {quoted}\n"))


def test_an_address_in_brackets_is_read_as_a_host() -> None:
    assert load_settings(flags={"rpc.allowed_hosts": "[::1],localhost"}, file=None).rpc.allowed_hosts[0] == "[::1]"


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "musigd.toml"
    file.write_bytes(b'\xef\xbb\xbfnetwork = "marked"\n')
    assert load_settings(flags={}, file=file).network == "marked"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSIGD_NETWORK", "")
    assert load_settings(flags={}, file=None).network == "main"


def test_the_variables_for_datadir_and_config_are_not_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSIGD_DATADIR", "/x")
    monkeypatch.setenv("MUSIGD_CONFIG", "/x")
    assert load_settings(flags={}, file=None)


@pytest.mark.parametrize("name", list(setting_names()))
def test_every_setting_can_be_misspelled_and_is_then_suggested(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, _, leaf = name.rpartition(".")
    wrong = f"{leaf}x"
    file = toml(tmp_path, f"[{section}]\n{wrong} = 1\n" if section else f"{wrong} = 1\n")
    sentence = refused(file=file)
    assert f"`{name}`" in sentence
    assert str(file) in sentence
    file.unlink()
    variable = "MUSIGD_" + name.upper().replace(".", "__")
    monkeypatch.setenv(f"{variable}X", "1")
    assert f"`{variable}`" in refused()


def test_an_unknown_section_is_refused(tmp_path: Path) -> None:
    assert "`rcp" in refused(file=toml(tmp_path, "[rcp]\nlisten = 'x'\n"))


def test_a_value_in_the_place_of_a_section_is_refused_with_how_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = toml(tmp_path, "rpc = 3\n")
    expected = (
        f"The setting `rpc` in {file} is a section: write [rpc] and below it its settings, such as `listen = ...`."
    )
    assert refused(file=file) == expected
    monkeypatch.setenv("MUSIGD_RPC", "3")
    assert "such as MUSIGD_RPC__LISTEN" in refused()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('network = "A B"', "a-z"),
        ('scheme = "lotus"', "is no longer known: every call names the scheme"),
        ('[log]\nformat = "xml"', "must be console or json"),
        ('drain_ms = "soon"', "must be a whole number"),
        ("drain_ms = -1", "must be at least 0"),
        ('[log]\nlevel = "loud"', "must be debug, info, warning or error"),
        ('[rpc]\nlisten = "8327"', "HOST:PORT"),
        ('[rpc]\nlisten = "0.0.0.0:8327"', "tls_cert"),
        ('[rpc]\ntls_cert = "/x"', "belong together"),
        ('[rpc]\nallowed_origins = ["wallet.example"]', "web origin"),
        ('[p2p]\nlisten = ["127.0.0.1:4327"]', "multiaddr"),
        ('[p2p]\nbootstrap = ["/ip4/1.2.3.4/tcp/1"]', "/p2p/"),
        ('[p2p]\nmdns = "perhaps"', "must be true or false"),
        ("[limits]\nmax_attempts = 17", "must be at most 16"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence_with_its_setting(tmp_path: Path, text: str, said: str) -> None:
    sentence = refused(file=toml(tmp_path, text))
    assert said in sentence
    assert text.rpartition("\n")[2].split(" ", 1)[0] in sentence


def test_a_wrong_flag_is_named_as_it_was_written() -> None:
    assert "--bootstrap) is 'nonsense, /x'" in refused(flags={"p2p.bootstrap": ["nonsense", "/x"]})
    assert flag_of("log.level") == "--log-level"


def test_all_problems_are_kept_for_the_check(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags={}, file=toml(tmp_path, 'network = "A B"\ndrain_ms = "x"\n'))
    assert len(caught.value.problems) == 2


def test_a_file_that_was_named_must_exist_and_others_need_not(tmp_path: Path) -> None:
    assert "cannot be read" in refused(file=tmp_path / "nowhere", must_exist=True)
    load_settings(flags={}, file=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"network = ", "no valid TOML"),
        (b"a = 1\na = 2\n", "no valid TOML"),
        (b"a = " + b"[" * 10_000, "no valid TOML"),
        (b"drain_ms = " + b"9" * 5_000, "no valid TOML"),
        (b'[keys]\npassphrase_file = "/a\\u0000b"', "holds a NUL character"),
        (b'[p2p]\nlisten = ["/a\\u0000b"]', "holds a NUL character"),
        (b'network = "\xff"', "must be UTF-8: byte 11 is not"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_with_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "musigd.toml"
    file.write_bytes(content)
    assert said in refused(file=file)


def test_an_impossible_file_name_is_refused_with_a_sentence(tmp_path: Path) -> None:
    assert "cannot be read: File name too long" in refused(file=tmp_path / ("x" * 300) / "musigd.toml")


def test_a_directory_in_the_place_of_the_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    assert "cannot be read" in refused(file=tmp_path)


@pytest.mark.parametrize(
    ("listen", "bootstrap", "mdns", "private"),
    [
        ("/ip4/127.0.0.1/tcp/0", "", True, True),
        ("/ip4/127.0.0.1/tcp/0,/ip4/0.0.0.0/tcp/0", "", True, False),
        ("/ip6/::1/tcp/0", "/ip4/1.2.3.4/tcp/1/p2p/x", False, True),
    ],
)
def test_mdns_and_private_addresses_follow_from_the_other_settings(
    listen: str, bootstrap: str, mdns: bool, private: bool
) -> None:
    p2p = load_settings(flags={"p2p.listen": listen, "p2p.bootstrap": bootstrap}, file=None).p2p
    assert (p2p.use_mdns, p2p.use_private_addresses) == (mdns, private)


def test_behind_a_proxy_there_is_no_mdns_and_loopback_makes_no_private_addresses() -> None:
    p2p = load_settings(flags={"p2p.listen": "/ip4/127.0.0.1/tcp/0", "p2p.socks5": "[::1]:9050"}, file=None).p2p
    assert (p2p.use_mdns, p2p.use_private_addresses, str(p2p.proxy)) == (False, False, "[::1]:9050")


@pytest.mark.parametrize(
    "text", ["localhost:9050", "tor.example:9050", "127.0.0.1", "127.0.0.1:0", "u:p@127.0.0.1:9050"]
)
def test_a_proxy_is_an_ip_address_and_a_port_so_that_no_name_is_looked_up(text: str) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:9050"):
        load_settings(flags={"p2p.socks5": text}, file=None)


def test_a_login_without_a_proxy_is_refused() -> None:
    with pytest.raises(SettingsError, match="set both, or none"):
        load_settings(flags={"p2p.socks5_login": "/etc/musigd/socks5"}, file=None)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"p2p.socks5": "127.0.0.1:9050"}, "p2p.*socks5 is to hide: set one of the two only"),
        ({"p2p.listen": "/ip4/127.0.0.1/tcp/4327"}, r"such as /ip4/0\.0\.0\.0/tcp/4327"),
        ({"p2p.listen": "/ip6/::/tcp/4327"}, r"such as /ip4/0\.0\.0\.0/tcp/4327"),
    ],
)
def test_a_port_is_mapped_only_where_the_router_can_reach_it(flags: dict[str, str], said: str) -> None:
    assert load_settings(flags={"p2p.port_mapping": "upnp"}, file=None).p2p.port_mapping == "upnp"
    with pytest.raises(SettingsError, match=said):
        load_settings(flags={"p2p.port_mapping": "upnp", **flags}, file=None)


@pytest.mark.parametrize(("text", "host", "port"), [("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65535)])
def test_endpoints_are_read(text: str, host: str, port: int) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.host, endpoint.port, str(endpoint), endpoint.is_loopback) == (host, port, text, True)


@pytest.mark.parametrize("text", ["", ":1", "a", "a:b", "a:65536", "::1:80", "[::1]", "a b:1", "http://a:1"])
def test_a_malformed_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_endpoint(text)


def test_config_show_prints_every_setting_with_its_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSIGD_P2P__MDNS", "false")
    settings = load_settings(flags={"log.level": "debug"}, file=None)
    lines = as_text(effective(settings)).splitlines()
    assert len(lines) == len(list(setting_names()))
    assert any(line.startswith("log.level ") and '"debug"' in line and "flag --log-level" in line for line in lines)
    (mdns,) = [row for row in effective(settings) if row.name == "p2p.mdns"]
    assert (mdns.value, mdns.origin, mdns.waiting) == (False, "environment MUSIGD_P2P__MDNS", None)


def test_a_reload_takes_over_what_it_can_and_names_the_rest() -> None:
    old = load_settings(flags={}, file=None)
    new = load_settings(flags={"log.level": "debug", "network": "test"}, file=None)
    assert changes(old, new) == (("log.level",), ("network",))
    assert set(setting_names()) >= RELOADABLE


def test_settings_made_without_sources_read_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSIGD_NETWORK", "variable")
    assert Settings().network == "main"
