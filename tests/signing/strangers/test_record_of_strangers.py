"""What strangers do about requests that no own key has joined is told, but not put on record."""

from __future__ import annotations

from daemon.audit.log import lines_after
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Cancel
from tests.signing.mallory import Mallory, unsolicited
from tests.signing.signing_world import Daemon, World, announce, join, signatures


def on_record(one: Daemon) -> list[str]:
    lines = one.store.read(lambda conn: list(lines_after(conn, 0)))
    return [line.body for line in lines]


async def test_joins_and_cancels_of_strangers_are_no_lines_of_the_audit_log(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    request = unsolicited(mallory, one.key)
    cancel = seal(Cancel("lotus", request.id, mallory.key, "", one.clock.wall_ms()), mallory.sign)
    mallory.say(one.peer, request, mallory.join(request), cancel)
    await one.until("signing-request:cancelled", requestId=request.id.hex())
    assert not [body for body in on_record(one) if request.id.hex() in str(body)]


async def test_what_an_own_key_takes_part_in_is_on_record(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(two, [one, two]))["requestId"]
    await join(one, request)
    assert await signatures(one, request)
    whats = [body for body in on_record(one) if request in str(body)]
    assert any("signing-request:joined" in str(body) for body in whats)
    assert any("signature:finalized" in str(body) for body in whats)
