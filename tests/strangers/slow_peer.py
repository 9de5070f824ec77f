"""The JavaScript peer among real daemons: found, heard, asked, asking, and one of those who sign.

python -m tests.strangers.slow_peer [tcp|ws|nowhere|page|go|go-ws] [WORD IN A STEP'S NAME]

tcp, ws and nowhere are the peer in Node: over TCP, over WebSocket, and over WebSocket with no address of its own.
page is the peer in a page of a real browser, go and go-ws are a peer on go-libp2p; they run only when they are named.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from daemon.demo.wallet import WalletFailed
from musigd_client import CallFailed
from tests.strangers.golang.start import starts
from tests.strangers.steps import asking, endings, found, links, many, signing
from tests.strangers.stranger import Failed, stranger, with_libp2p
from tests.strangers.world import NOWHERE, Step, Way, world

FOUND: tuple[Step, ...] = (
    found.it_is_found_by_a_push_and_by_gossip,
    found.it_hears_a_daemon_by_gossip,
    found.it_writes_and_reads_dht_records,
    found.a_key_that_only_stands_in_the_dht_is_asked_and_signs,
    found.it_reads_a_directory_and_is_read,
)
SIGNING: tuple[Step, ...] = (
    signing.it_signs_as_one_of_two_and_of_three,
    signing.two_of_it_sign_with_a_daemon,
)
ASKING: tuple[Step, ...] = (asking.it_asks_with_and_without_a_transaction,)
NOTICED: tuple[Step, ...] = (asking.what_was_asked_while_it_was_away_is_found_by_a_notice,)
ENDINGS: tuple[Step, ...] = (
    endings.a_daemon_killed_after_its_nonce_and_the_peer_sign_in_a_second_attempt,
    endings.the_peer_loses_its_nonce_and_signs_in_a_second_attempt,
    endings.it_declines_and_hears_a_decline,
    endings.it_cancels_and_hears_a_cancel,
    endings.who_sends_a_wrong_partial_signature_is_named_to_all_and_the_others_sign_on,
)
LINKS: tuple[Step, ...] = (
    links.of_two_streams_that_both_opened_the_smaller_peers_is_written,
    links.behind_a_relay_it_is_reached_and_signs,
)
PAGE = "page"
MANY: tuple[Step, ...] = (many.of_twenty_signers_it_is_an_ordinary_one_and_a_hub, many.it_asks_nineteen_others)
IN_GO: tuple[Step, ...] = (
    found.it_is_found_by_a_push_and_by_gossip,
    found.it_hears_a_daemon_by_gossip,
    found.what_it_writes_to_the_dht_others_read,
    found.a_key_that_only_stands_in_the_dht_is_asked_and_signs,
    *SIGNING,
)
EVERYWHERE = (*FOUND, *SIGNING, *ASKING, *ENDINGS, *LINKS)
WAYS = {
    "tcp": (*EVERYWHERE, *MANY),
    "ws": EVERYWHERE,
    NOWHERE: (*EVERYWHERE, *NOTICED),
    PAGE: (*EVERYWHERE, *NOTICED),
    "go": IN_GO,
    "go-ws": IN_GO,
}


@asynccontextmanager
async def chosen(name: str) -> AsyncIterator[Way]:
    """A way by its name; a browser runs as long as the block."""
    if name in ("go", "go-ws"):
        ws = "/ws" if name == "go-ws" else ""
        yield Way(name, starts(), ws, f"/ip4/127.0.0.1/tcp/0{ws}")
        return
    program, folder = with_libp2p()
    start = partial(stranger, program, folder)
    if name == "tcp":
        yield Way(name, start)
    elif name == "ws":
        yield Way(name, start, "/ws", "/ip4/127.0.0.1/tcp/0/ws")
    elif name == NOWHERE:
        yield Way(name, start, "/ws", NOWHERE)
    else:
        from tests.strangers.page import pages  # what drives a browser is there for this only

        async with pages(folder) as start_in_page:
            yield Way(name, start_in_page, "/ws", NOWHERE)


async def holds(step: Step, root: Path, way: Way) -> bool:
    """One step among daemons of its own."""
    root.mkdir()
    name = f"{step.__name__.replace('_', ' ')} ({way.name})"
    try:
        async with world(root, way, many.DAEMONS if step in MANY else 2) as made:
            await step(made)
    except (AssertionError, CallFailed, Failed, TimeoutError, WalletFailed):
        traceback.print_exc()
        print(f"FAILS: {name}", flush=True)
        return False
    print(f"holds: {name}", flush=True)
    return True


async def main(*words: str) -> None:
    names = [word for word in words if word in WAYS]
    (word,) = [word for word in words if word not in WAYS] or [""]
    results = []
    with tempfile.TemporaryDirectory(prefix="musigd strangers ") as folder:
        for name in names or (name for name in WAYS if name not in (PAGE, "go", "go-ws")):
            async with chosen(name) as way:
                for step in WAYS[name]:
                    if word in step.__name__:
                        results.append(await holds(step, Path(folder) / f"{name} {step.__name__}", way))
    raise SystemExit(not all(results))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
