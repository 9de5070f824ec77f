"""The handlers around keys, tokens, peers and the daemon, with a network of two peers in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from config.load import load_settings
from daemon.access.tokens import Tokens
from daemon.api.guard import HandlerGuard, refusal_of
from daemon.api.info import InfoMethods, bootstrap_problems
from daemon.api.keys import KeyMethods
from daemon.api.peers import PeerMethods
from daemon.api.tokens import TokenMethods
from daemon.events import EventLog
from daemon.keys.errors import KeysLocked, UnknownKey
from daemon.keys.lock_events import LockEvents
from daemon.keys.sealing import KdfMemoryError
from daemon.peers.bans import Bans
from daemon.store import DatabaseGone, LockGone, Store, StoreClosed, StoreFull
from daemon.upkeep.health import DaemonHealth
from musig2.protocol.records.peers import peer_of, peer_text
from p2p.errors import AddressError, NetworkError, PeerUnreachable
from p2p.network import NetState, NetStatus
from p2p.ports import BootstrapFault, Connected, Direction, PeerInfo, Reachability
from rpc.caller import Caller, owner
from rpc.calls.call import CallContext
from rpc.errors import ApiError, unknown_key
from rpc.handlers import info_handlers, keys_handlers, peers_handlers, tokens_handlers
from rpc.methods.table import METHODS
from rpc.models import keys as key_models
from rpc.models import node as node_models
from rpc.models.wire import NoParams, NoParamsChange
from rpc.ports import Problem
from rpc.sent_secret import SentSecret
from rpc.server.auth import Authenticator
from tests.daemon_ops.ops_world import SECRET, SettableClock, generated_passphrase, started
from tests.refusals import places_of, refused
from tests.rpc.rpc_calls import call_of, dispatcher_of

PEER = peer_of(b"\x01" * 32)
KEY = b"\x02" + b"\x11" * 32


class TwoPeers:
    """A network that is plain data."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []
        self.failure: Exception | None = None
        self.peer_text = peer_text(peer_of(bytes(32)))

    def multiaddrs(self) -> tuple[str, ...]:
        return ("/ip4/127.0.0.1/tcp/1",)

    reachability = Reachability()

    def peers(self) -> list[PeerInfo]:
        return [PeerInfo(PEER, ("/ip4/127.0.0.1/tcp/1",), Direction.OUTBOUND, 5, None)]

    async def connect(self, multiaddr: str) -> Connected:
        if self.failure is not None:
            raise self.failure
        return Connected(PEER, already=True)

    async def disconnect(self, peer: bytes) -> None:
        self.calls.append(("disconnect", peer))

    def set_ban(self, peer: bytes, until_ms: int) -> None:
        self.calls.append(("ban", until_ms))

    def lift_ban(self, peer: bytes) -> None:
        self.calls.append(("lift", peer))


class AllWell:
    def __init__(self, *problems: Problem) -> None:
        self.problems = problems

    def live(self) -> tuple[Problem, ...]:
        return ()

    def ready(self) -> tuple[Problem, ...]:
        return self.problems


class Daemon:
    """Everything the handlers need, on one store."""

    def __init__(self, keys: KeyMethods, tokens: TokenMethods, peers: PeerMethods, info: InfoMethods) -> None:
        self.keys, self.tokens, self.peers, self.info = keys, tokens, peers, info
        self.network = TwoPeers()
        self.clock = SettableClock()
        self.store_tokens: Tokens
        self.paused: list[bytes]

    async def as_token(self, **params: object) -> Caller:
        made = await self.tokens.create_token(owner(), node_models.CreateToken.model_validate(params))
        return Authenticator(self.store_tokens, self.clock.wall_ms).caller_of(made.token)


@pytest.fixture
async def daemon(store: Store, tmp_path: Path) -> Daemon:
    clock, network = SettableClock(), TwoPeers()
    events = EventLog(store=store, clock=clock)
    await events.start()
    keystore = await started(store, tmp_path, events=events)
    lock_events = LockEvents(store=store, events=events, keystore=keystore)
    await lock_events.start()
    tokens = Tokens(store=store, clock=clock, events=events)
    await tokens.start()
    bans = Bans(store=store, clock=clock, events=events)
    settings = load_settings(flags={"network": "test"}, file=None)
    paused: list[bytes] = []
    made = Daemon(
        KeyMethods(keystore=keystore, tokens=tokens, paused=paused.extend, lock_told=lock_events.told),
        TokenMethods(tokens=tokens, keystore=keystore, withdraw=lambda token: lambda conn: None),
        PeerMethods(network=network, network_name="test", bans=bans, clock=clock, keys_of=lambda peer: [KEY]),
        InfoMethods(
            version="1.2.3",
            settings=settings,
            network=network,
            keystore=keystore,
            store=store,
            events=events,
            health=AllWell(Problem("p2p_down", "look")),
            clock=clock,
            problems=lambda: [("no_peers", "Set p2p.bootstrap.")],
        ),
    )
    made.network, made.clock, made.store_tokens, made.paused = network, clock, tokens, paused
    return made


def create(**params: object) -> key_models.CreateKey:
    return key_models.CreateKey.model_validate({"scheme": "lotus", **params})


async def test_a_token_that_creates_a_key_sees_that_key_and_no_other(daemon: Daemon) -> None:
    foreign = await daemon.keys.create_key(owner(), create(label="foreign"))
    caller = await daemon.as_token(scopes=["sign"], createKey=True)
    made = await daemon.keys.create_key(caller, create(label="mine"))
    refreshed = Authenticator(daemon.store_tokens, daemon.clock.wall_ms).refreshed(caller.token_id)
    assert refreshed is not None
    shown = await daemon.keys.list_keys(refreshed, NoParams())
    assert [key.public_key for key in shown.keys] == [made.public_key]
    with pytest.raises(ApiError) as caught:
        await daemon.keys.pause_key(refreshed, key_models.NameKey(public_key=foreign.public_key))
    assert caught.value.reason == "unknown_key"


async def test_a_bound_token_without_that_right_makes_no_keys(daemon: Daemon) -> None:
    key = await daemon.keys.create_key(owner(), create())
    caller = await daemon.as_token(scopes=["admin"], publicKeys=[key.public_key])
    for call in (
        daemon.keys.create_key(caller, create()),
        daemon.keys.import_key(
            caller, key_models.ImportKey.model_validate({"privateKey": SentSecret.of(SECRET), "scheme": "lotus"})
        ),
    ):
        assert (await refused(call)).reason == "forbidden"


async def test_a_token_for_a_key_that_is_not_here_is_refused(daemon: Daemon) -> None:
    with pytest.raises(UnknownKey) as caught:
        await daemon.as_token(scopes=["sign"], publicKeys=[KEY.hex()])
    told = refusal_of(caught.value)
    assert told is not None
    assert told.to_json() == unknown_key(KEY).to_json(), "word for word what is said of a key of another token"


async def test_tokens_are_listed_without_the_token_and_revoked(daemon: Daemon) -> None:
    caller = await daemon.as_token(scopes=["sign", "discover"], label="phone")
    (shown,) = (await daemon.tokens.list_tokens(owner(), NoParams())).tokens
    assert (shown.token_id, shown.scopes, shown.label) == (caller.token_id, ("sign", "discover"), "phone")
    assert "token" not in shown.model_dump(by_alias=True, exclude_none=True)
    await daemon.tokens.revoke_token(owner(), node_models.RevokeToken(token_id=caller.token_id))
    assert (await daemon.tokens.list_tokens(owner(), NoParams())).tokens == ()


async def test_keys_are_paused_locked_and_unlocked_through_the_api(daemon: Daemon, tmp_path: Path) -> None:
    key = await daemon.keys.create_key(owner(), create())
    named = key_models.NameKey(public_key=key.public_key)
    assert (await daemon.keys.pause_key(owner(), named)).paused
    assert not (await daemon.keys.resume_key(owner(), named)).paused
    assert (await daemon.keys.lock(owner(), NoParamsChange())).locked
    params = key_models.Unlock.model_validate(
        {"passphrase": SentSecret.of(generated_passphrase(tmp_path)), "durationMs": 60_000}
    )
    state = await daemon.keys.unlock(owner(), params)
    assert (state.locked, state.until) == (False, daemon.clock.now_ms + 60_000)
    await daemon.keys.lock(owner(), NoParamsChange())


async def test_a_changed_passphrase_is_answered(daemon: Daemon, tmp_path: Path) -> None:
    params = {
        "passphrase": SentSecret.of(generated_passphrase(tmp_path)),
        "newPassphrase": SentSecret.of("battery staple"),
    }
    changed = await daemon.keys.change_passphrase(owner(), key_models.ChangePassphrase.model_validate(params))
    assert changed.changed


async def test_peers_are_shown_with_their_keys(daemon: Daemon) -> None:
    (peer,) = (await daemon.peers.list_peers(owner(), NoParams())).peers
    assert (peer.peer_id, peer.direction, peer.public_keys) == (peer_text(PEER), "outbound", (KEY.hex(),))


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (AddressError("bad_address", "no"), "invalid_params"),
        (PeerUnreachable("peer_unreachable", "no"), "peer_unreachable"),
        (NetworkError("p2p_down", "no"), "p2p_down"),
    ],
)
async def test_a_refusal_of_the_network_becomes_an_answer(daemon: Daemon, failure: Exception, reason: str) -> None:
    params = node_models.ConnectPeer(multiaddr=f"/ip4/127.0.0.1/tcp/1/p2p/{peer_text(PEER)}")
    answer = await daemon.peers.connect_peer(owner(), params)
    assert (answer.peer_id, answer.already_connected) == (peer_text(PEER), True)
    daemon.network.failure = failure
    assert (await refused(daemon.peers.connect_peer(owner(), params))).reason == reason


async def test_an_address_to_connect_that_names_no_other_peer_is_a_wrong_parameter(daemon: Daemon) -> None:
    malformed = (
        "/ip4/127.0.0.1/tcp/1",
        "/ip4/127.0.0.1/tcp/1/p2p/",
        "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWnonsense",
        f"/ip4/127.0.0.1/tcp/1/p2p/{peer_text(PEER)[:-1]}",
        f"/ip4/127.0.0.1/tcp/1/p2p/{peer_text(PEER)}/p2p-circuit",
        f"/ip4/127.0.0.1/tcp/1/p2p/{daemon.network.peer_text}",
    )
    for multiaddr in malformed:
        told = await refused(daemon.peers.connect_peer(owner(), node_models.ConnectPeer(multiaddr=multiaddr)))
        assert (told.code, places_of(told)[0]["path"]) == (-32602, "multiaddr"), multiaddr


@pytest.mark.parametrize(
    ("multiaddr", "said"),
    [
        ("/dnsaddr/bootstrap.libp2p.io", "/dnsaddr stands for other addresses"),
        ("/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN", "/dnsaddr stands for"),
        (f"/ip4/203.0.113.7/udp/4001/quic-v1/p2p/{peer_text(PEER)}", "QUIC and protocols over it are not supported"),
        (f"/ip4/127.0.0.1/tcp/1/http/p2p/{peer_text(PEER)}", "HTTP, and TLS without WebSocket, are not supported"),
        (f"/ip4/127.0.0.1/tcp/1/p2p-circuit/p2p/{peer_text(PEER)}", "the address of a relay with its peer id"),
        (f"/ip4/127.0.0.1/tcp/0/p2p/{peer_text(PEER)}", "port 0"),
        ("/ip4/127.0.0.1/tcp/1", "does not end in /p2p/<peer id>"),
        ("/ip4/127.0.0.1/tcp/1/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN", "is of another kind"),
    ],
)
async def test_an_address_to_connect_is_refused_with_the_true_reason(daemon: Daemon, multiaddr: str, said: str) -> None:
    told = await refused(daemon.peers.connect_peer(owner(), node_models.ConnectPeer(multiaddr=multiaddr)))
    assert said in places_of(told)[0]["message"]


def test_a_bootstrap_address_of_another_peer_is_a_problem_with_both_ids() -> None:
    meant, found = peer_of(bytes(32)), PEER
    faults = (
        BootstrapFault("/ip4/203.0.113.7/tcp/1/p2p/x", meant, found),
        BootstrapFault("/ip4/10.0.0.1/tcp/1/p2p/x", meant, None),
    )
    (wrong_peer, private) = bootstrap_problems(faults)
    assert wrong_peer[0] == private[0] == "bootstrap_unusable"
    assert f"peer {peer_text(found)} answers there instead of {peer_text(meant)}" in wrong_peer[1]
    assert "p2p.private_addresses" in private[1]


async def test_a_ban_is_stored_enforced_and_lifted(daemon: Daemon) -> None:
    ban = node_models.BanPeer(peer_id=peer_text(PEER), duration_ms=1_000)
    until = (await daemon.peers.ban_peer(owner(), ban)).until
    assert until == daemon.clock.now_ms + 1_000
    assert [shown.until for shown in (await daemon.peers.list_bans(owner(), NoParams())).bans] == [until]
    name = node_models.NamePeer(peer_id=peer_text(PEER))
    await daemon.peers.disconnect_peer(owner(), name)
    await daemon.peers.unban_peer(owner(), name)
    assert daemon.network.calls == [("ban", until), ("disconnect", PEER), ("lift", PEER)]
    assert (await daemon.peers.list_bans(owner(), NoParams())).bans == ()


async def test_a_malformed_peer_id_is_refused(daemon: Daemon) -> None:
    told = await refused(daemon.peers.unban_peer(owner(), node_models.NamePeer(peer_id="Qm123")))
    assert told.reason == "invalid_params"


async def test_get_info_says_what_is_wrong_and_what_to_do(daemon: Daemon) -> None:
    info = await daemon.info.get_info(owner(), NoParams())
    assert (info.version, info.network, info.peers, info.locked, info.ready) == ("1.2.3", "test", 1, False, False)
    assert [problem.reason for problem in info.problems] == ["p2p_down", "no_peers"]
    assert info.limits["advertisementBytes"] == 10_000
    await daemon.keys.lock(owner(), NoParamsChange())
    info = await daemon.info.get_info(owner(), NoParams())
    assert [problem.reason for problem in info.problems] == ["p2p_down", "locked", "no_peers"]


def test_every_handler_is_a_method_of_the_api(daemon: Daemon) -> None:
    served = keys_handlers(daemon.keys) | tokens_handlers(daemon.tokens) | peers_handlers(daemon.peers)
    assert set(served | info_handlers(daemon.info)) <= set(METHODS)


class Nothing:
    """Neither keys nor requests."""

    def keys(self) -> Sequence[bytes]:
        return ()

    def scheme_of(self, pubkey: bytes) -> str:
        raise AssertionError(pubkey)

    def scheme_of_request(self, caller: Caller, request: bytes) -> str:
        raise AssertionError(request)

    def scheme_of_session(self, caller: Caller, session: bytes) -> str:
        raise AssertionError(session)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (StoreFull("full"), "store_full"),
        (DatabaseGone("gone"), "database_gone"),
        (LockGone("gone"), "lock_gone"),
        (StoreClosed("closed"), "shutting_down"),
        (KdfMemoryError("memory"), "busy"),
        (KeysLocked(), "locked"),
        (ApiError("forbidden", "Not yours."), "forbidden"),
    ],
)
async def test_a_refusal_of_the_store_becomes_an_answer(failure: Exception, reason: str) -> None:
    async def fails(caller: Caller, params: NoParams) -> bool:
        raise failure

    call = call_of("getInfo", fails, guard=HandlerGuard(Nothing(), Nothing()))
    reply = await dispatcher_of({"x": call}).answer(b'{"jsonrpc":"2.0","method":"x","id":1}', CallContext(owner()))
    assert reply.body is not None
    assert orjson.loads(reply.body)["error"]["data"]["reason"] == reason


async def test_own_request_from_the_future_is_a_problem_with_its_end_for_those_who_may_see_its_key(
    daemon: Daemon, store: Store
) -> None:
    key = bytes.fromhex((await daemon.keys.create_key(owner(), create())).public_key)
    other = await daemon.keys.create_key(owner(), create())
    received_ms = daemon.clock.now_ms + 86_400_000
    row = (b"r" * 32, b"e", key, received_ms + 1, received_ms)
    await store.write(
        lambda conn: conn.execute(
            "INSERT INTO signing_requests (request, scheme, envelope, creator, expires, received, outcome)"
            " VALUES (?, 'lotus', ?, ?, ?, ?, 'open')",
            row,
        )
    )
    info = await daemon.info.get_info(owner(), NoParams())
    (problem,) = [problem for problem in info.problems if problem.reason == "clock_was_ahead"]
    assert problem.until == received_ms - 300_000
    assert "cancelSigningRequest" in problem.remedy
    bound = await daemon.as_token(scopes=["sign"], publicKeys=[other.public_key])
    info = await daemon.info.get_info(bound, NoParams())
    assert "clock_was_ahead" not in [problem.reason for problem in info.problems]


async def test_a_clock_that_peers_call_wrong_is_a_reason_not_to_be_ready(store: Store, tmp_path: Path) -> None:
    said: list[str | None] = [None, "Set it (timedatectl set-ntp true)."]
    health = DaemonHealth(
        store=store,
        keystore=await started(store, tmp_path),
        network_state=lambda: NetState(NetStatus.UP),
        clock_problem=lambda: said.pop(0),
    )
    assert health.ready() == []
    assert health.ready() == [Problem("clock_wrong", "Set it (timedatectl set-ntp true).")]


async def test_a_removed_database_is_a_reason_not_to_be_ready_before_anything_is_written(
    store: Store, tmp_path: Path
) -> None:
    health = DaemonHealth(
        store=store,
        keystore=await started(store, tmp_path),
        network_state=lambda: NetState(NetStatus.UP),
        clock_problem=lambda: None,
    )
    assert health.ready() == []
    store.path.unlink()
    (problem,) = health.ready()
    assert problem.reason == "database_gone"
    assert "Do not stop the daemon" in problem.remedy


async def test_no_key_is_made_in_a_database_that_was_removed(daemon: Daemon, store: Store) -> None:
    store.path.unlink()
    with pytest.raises(DatabaseGone):
        await daemon.keys.create_key(owner(), create())
