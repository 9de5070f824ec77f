"""What is signed inside a frame is checked before the frame passes the gate."""

from typing import Any

import pytest
import trio

from musig2 import scheme
from musig2.protocol.records.envelope import seal
from musig2.protocol.wire.frame_codec import MAX_DELEGATION_BYTES, encode_frame
from musig2.protocol.wire.frames import Answer, Fetch, Frame
from p2p.ports import Offence
from p2p.settings import NetworkConfig
from p2p.streams.accounts import Accounts
from p2p.streams.gate import PeerGate
from tests.protocol.records_world import ANNA, BEN, advertisement


class Reports:
    """Remembers offences."""

    def __init__(self) -> None:
        self.offences: list[Offence] = []

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences.append(kind)

    def on_ban(self, peer: bytes, reason: str) -> None:
        raise AssertionError("two offences are no reason for a ban")


GOOD = ANNA.seal(advertisement())
STOLEN: Any = seal(
    advertisement(pubkey=BEN.pubkey), lambda msg: scheme("lotus").schnorr_sign(ANNA.key, msg), ANNA.peer.sign
)


@pytest.mark.parametrize("forged", [STOLEN, Fetch((GOOD.envelope, STOLEN.envelope))], ids=["record", "delegation"])
def test_a_forged_record_stops_its_frame_and_no_other(forged: Frame) -> None:
    reports = Reports()
    gate = PeerGate(NetworkConfig(network="test"), reports, Accounts())
    good: list[Frame] = [Fetch((GOOD.envelope,)), Answer(bytes(32), "busy"), GOOD]
    frames = [encode_frame(frame) for frame in (good[0], forged, *good[1:])]
    assert trio.run(gate.frames, ANNA.peer.peer, frames) == good
    assert reports.offences == [Offence.BAD_SIGNATURE]


def test_a_peer_that_fetches_without_end_is_read_more_slowly_and_an_honest_one_is_not() -> None:
    now = 0.0
    gate = PeerGate(NetworkConfig(network="test"), Reports(), Accounts(), lambda: now)
    honest = [encode_frame(Fetch((GOOD.envelope,) * 16))] * 20
    fat = encode_frame(Fetch((bytes(MAX_DELEGATION_BYTES),) * 16))
    assert gate.pause_s(ANNA.peer.peer, honest) == gate.pause_s(ANNA.peer.peer, [encode_frame(GOOD)] * 1_000) == 0.0
    owed = [gate.pause_s(BEN.peer.peer, [fat]) for _ in range(13)]
    assert owed[0] == 0.0
    assert owed[-1] > 10
    now = 100.0
    assert gate.pause_s(BEN.peer.peer, [fat]) == 0.0
