"""The sessions that are kept as vectors: the cryptography finds them right, and a daemon's machine plays each part."""

from __future__ import annotations

import json
import random
from typing import Any, cast

import pytest

from daemon.main import main
from musig2 import Tweak, TweakKind, scheme
from musig2.protocol.interface.effects import NeedJoin, NeedNonces, NeedPartials, Send
from musig2.protocol.interface.inputs import Approved, JoinReady, NoncesReady, PartialsReady
from musig2.protocol.records.envelope import open_verified
from musig2.protocol.records.records import Join, NonceBody, PartialBody, Request
from musig2.protocol.vectors import vectors
from musig2.protocol.wire.frame_codec import encode_frame, open_frame, split
from musig2.protocol.wire.frames import Frame, Signed
from tests.protocol.make_session import session_file, signers_of
from tests.protocol.records_world import NOW, Signer, digest
from tests.protocol.sim.clock import EPOCH_MS, Clock
from tests.protocol.sim.network import Network, Weather
from tests.protocol.sim.node import Node

SESSIONS = ("lotus", "bip340", "lotus_2of2", "bip340_2of2")
PLACES = [(name, index) for name in SESSIONS for index in range(2 if name.endswith("2of2") else 3)]
every_session = pytest.mark.parametrize("name", SESSIONS)
LARGEST = 50_000


def kept(name: str) -> dict[str, Any]:
    found: dict[str, Any] = vectors()[f"session_{name}"]
    return found


def frame_of(row: dict[str, str]) -> Frame:
    (data,) = split(bytearray.fromhex(row["stream"]), max_bytes=LARGEST)
    return open_frame(data, max_bytes=LARGEST)


def records_of(name: str) -> tuple[Signed[Request], list[Signed[Join]]]:
    frames = [frame_of(row) for row in kept(name)["frames"] if row["frame"] in ("request", "join")]
    asked, *joins = (open_verified(cast("Signed[Any]", frame).envelope, max_bytes=LARGEST) for frame in frames)
    return cast("Signed[Request]", asked), cast("list[Signed[Join]]", joins)


@every_session
def test_everything_but_the_signatures_of_records_follows_from_the_secrets(name: str) -> None:
    assert session_file(*records_of(name)) == kept(name)


@every_session
def test_the_cryptography_agrees_with_every_step(name: str) -> None:
    asked = records_of(name)[0].record
    rules = scheme(asked.scheme)
    for item in kept(name)["items"]:
        tweaks = [Tweak(TweakKind(kind), value and bytes.fromhex(value)) for kind, value in item["tweaks"]]
        keyagg = rules.key_agg(asked.keys, tweaks)
        pubnonces = [bytes.fromhex(nonce) for nonce in item["pubnonces"]]
        context = rules.session(keyagg, rules.nonce_agg(pubnonces), bytes.fromhex(item["msg"]))
        psigs = [bytes.fromhex(psig) for psig in item["partialSignatures"]]
        assert keyagg.aggpubkey.hex() == item["aggPubkey"]
        assert rules.nonce_agg(pubnonces).hex() == item["aggnonce"]
        for index, (psig, pubnonce) in enumerate(zip(psigs, pubnonces, strict=True)):
            assert rules.partial_sig_verify(psig, pubnonce, asked.keys[index], context, index)
        assert rules.partial_sig_agg(psigs, context).hex() == item["signature"]
        assert rules.schnorr_verify(keyagg.aggpubkey, context.msg, bytes.fromhex(item["signature"]))


class Player(Node):
    """A daemon's machine that makes the kept join, nonces and partial signatures, and keeps what it sends."""

    def __init__(self, name: str, index: int) -> None:
        self.index, self.items = index, kept(name)["items"]
        self.asked, self.joins = records_of(name)
        clock, self.signer = Clock(), signers_of(self.asked.record)[index]
        self.sent: list[Frame] = []
        network = Network(clock, random.Random(1), Weather())
        super().__init__(clock, network, self.asked, [self.signer.key], seed_of(self.signer))
        self.skew_ms = NOW - EPOCH_MS

    def _join(self, need: NeedJoin) -> JoinReady:
        return JoinReady(self.joins[self.index])

    def _nonces(self, need: NeedNonces) -> NoncesReady:
        return NoncesReady(need.session, need.key, self._own("pubnonces"))

    def _partials(self, need: NeedPartials) -> PartialsReady:
        return PartialsReady(need.session, need.key, self._own("partialSignatures"))

    def _own(self, what: str) -> tuple[bytes, ...]:
        return tuple(bytes.fromhex(item[what][self.index]) for item in self.items)

    def _send(self, send: Send) -> None:
        self.sent.append(send.frame)


def seed_of(signer: Signer) -> int:
    return int.from_bytes(digest(f"musigd test peer {signer.name}"))


@pytest.mark.parametrize(("name", "index"), PLACES)
def test_a_daemon_in_the_place_of_each_signer_sends_those_frames_and_ends_with_the_signatures(
    name: str, index: int
) -> None:
    player = Player(name, index)
    player.start()
    player.feed(Approved(player.key, True))
    for row in kept(name)["frames"][1:-1]:
        if row["from"] != player.signer.name:
            player.deliver(bytes(38), frame_of(row))

    own = [frame_of(row) for row in kept(name)["frames"][1:-1] if row["from"] == player.signer.name]
    sent = [encode_frame(frame) for frame in player.sent if isinstance(frame, Signed)]
    assert list(dict.fromkeys(sent)) == [encode_frame(frame) for frame in own]
    (told,) = player.told("signature:finalized")
    assert [bytes(each).hex() for each in cast("tuple[bytes, ...]", told.data["signatures"])] == [
        item["signature"] for item in player.items
    ]


@every_session
def test_the_rounds_carry_what_the_items_say(name: str) -> None:
    names = [signer["name"] for signer in kept(name)["signers"]]
    for row in kept(name)["frames"]:
        body = getattr(getattr(frame_of(row), "record", None), "body", None)
        index = names.index(row["from"])
        if isinstance(body, NonceBody):
            assert [nonce.hex() for nonce in body.pubnonces] == [
                item["pubnonces"][index] for item in kept(name)["items"]
            ]
        if isinstance(body, PartialBody):
            assert body.nonceset.hex() == kept(name)["nonceset"]


def test_the_command_prints_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocol-vectors"]) == 0
    assert json.loads(capsys.readouterr().out) == vectors()
    assert {f"session_{name}" for name in SESSIONS} <= set(vectors())
