"""What a client sends as a secret never becomes a string, and a message that only looks alike is read as it stands."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.calls.envelope import CallItem, item_of, parse
from rpc.calls.params import params_of
from rpc.calls.sent_secrets import may_carry_secret, put_back, take_out
from rpc.errors import ApiError
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models.keys import ChangePassphrase, ExportKey, ImportKey, Unlock
from rpc.models.wire import Params
from rpc.sent_secret import SECRET_METHODS, SECRET_PARAMS, SentSecret

HEX = "c0ffee" * 10 + "abcd"


def called(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def received(body: bytes) -> tuple[bytes, Any]:
    """The message without its secrets, and the params of its call."""
    assert may_carry_secret(body)
    parsed, taken = take_out(body)
    item = item_of(parse(parsed))
    put_back(item, taken)
    assert isinstance(item, CallItem)
    return parsed, item.params


def test_every_method_and_param_that_is_a_secret_is_known() -> None:
    found = {
        (name, field.alias)
        for name, method in METHODS.items()
        for field in method.params.model_fields.values()
        if SentSecret in (field.annotation, *get_args(field.annotation))
    }
    assert {name for name, _ in found} == SECRET_METHODS
    assert {alias for _, alias in found} == SECRET_PARAMS


def test_the_parsed_message_holds_no_secret() -> None:
    parsed, params = received(json.dumps(called("importKey", {"privateKey": HEX, "scheme": "lotus"})).encode())
    assert HEX.encode() not in parsed
    secret = params_of(ImportKey, params).private_key
    assert secret is not None
    assert secret.view == HEX.encode()
    assert HEX not in repr(params)


@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable() or "\n" in text), st.booleans())
def test_a_passphrase_arrives_as_written_whatever_its_characters(text: str, escaped: bool) -> None:
    body = json.dumps(called("unlock", {"passphrase": text}), ensure_ascii=escaped).encode("utf-8")
    _, params = received(body)
    assert bytes(params_of(Unlock, params).passphrase.view) == text.encode()


@given(
    st.recursive(
        st.text() | st.integers(-(2**63), 2**63 - 1),
        lambda inner: st.dictionaries(st.sampled_from([*SECRET_PARAMS, "a"]), inner),
    )
)
def test_a_call_that_takes_no_secret_is_read_as_it_stands(metadata: Any) -> None:
    params = {"metadata": metadata, "passphrase": "x"}
    _, read = received(json.dumps(called("announceSigningRequest", params)).encode())
    assert read == params


@pytest.mark.parametrize(
    "written",
    [rb'"\x"', rb'"\u12g4"', rb'"\ud800"', rb'"\udc00"', rb'"\ud800\u0041"', rb'"\u12"', b'"\xff"', b'"\xc0\x80"'],
)
def test_a_secret_that_is_no_string_of_json_is_a_parse_error(written: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        take_out(b'{"jsonrpc":"2.0","id":1,"method":"unlock","params":{"passphrase":' + written + b"}}")
    assert refused.value.reason == "parse_error"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ('{"passphr\\u0061se": "x"}', "must stand under its plain name: escapes in a name hide that a secret follows"),
        ('{"passphrase": ""}', "must have at least 1 character"),
        ('{"passphrase": 7}', "must be text"),
        ('{"passphrase": "' + "y" * 1_025 + '"}', "must have at most 1024 characters"),
        ('{"passphrase": "' + "y" * 20_000 + '"}', "must have at most 1024 characters"),
    ],
)
def test_a_malformed_secret_is_refused_with_its_path(params: str, said: str) -> None:
    parsed, taken = take_out(f'{{"jsonrpc":"2.0","id":1,"method":"unlock","params":{params}}}'.encode())
    item = item_of(parse(parsed))
    put_back(item, taken)
    assert isinstance(item, CallItem)
    with pytest.raises(ApiError) as refused:
        params_of(Unlock, item.params)
    assert refused.value.message.startswith("passphrase: ")
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("model", "name", "besides"),
    [(ChangePassphrase, "newPassphrase", {}), (ExportKey, "exportPassphrase", {"publicKey": samples.KEY_A})],
)
def test_nobody_chooses_a_passphrase_that_no_file_could_give(
    model: type[Params], name: str, besides: dict[str, str]
) -> None:
    def chosen(text: str) -> Params:
        return params_of(model, {**besides, "passphrase": SentSecret.of("old\n"), name: SentSecret.of(text)})

    for text in ("new\n", "new\r\n", "\n"):
        with pytest.raises(ApiError, match=f"{name}: must not end in a line break"):
            chosen(text)
    assert chosen("n\new")


def test_a_secret_is_wiped_by_its_user_and_with_its_last_reference() -> None:
    secret = SentSecret.of(HEX)
    view = secret.view
    secret.wipe()
    assert not any(view)
    other = SentSecret.of(HEX)
    view = other.view
    del other
    assert not any(view)


@pytest.mark.parametrize("name", sorted(SECRET_PARAMS))
def test_the_quick_search_finds_every_name_of_a_secret(name: str) -> None:
    assert may_carry_secret(json.dumps({name: "x"}).encode())
