"""The daemon itself, its peers and its tokens."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.contacts import CONTACTS
from rpc.methods.method import Method
from rpc.models import node
from rpc.models.wire import NoParams

_BAN = {"peerId": samples.PEER_B, "until": samples.NOW + 3_600_000, "reason": "tries every door"}

INFO = (
    Method(
        name="getInfo",
        params=NoParams,
        result=node.Info,
        scope=Scope.READ,
        summary="State of the daemon: version, network, peers, whether it is ready, and where the event log stands.",
        example={},
        answer={
            "version": "0.1.0",
            "apiVersion": 1,
            "network": "main",
            "peerId": samples.PEER_A,
            "multiaddrs": [f"/ip4/203.0.113.7/tcp/4327/p2p/{samples.PEER_A}"],
            "peers": 3,
            "uptime": 90_000,
            "schemes": ["lotus", "bip340"],
            "schemaVersion": 3,
            "locked": False,
            "ready": True,
            "problems": [],
            "nextSeq": 42,
            "logId": samples.LOG,
            "time": samples.NOW,
            "limits": {"advertisementBytes": 10_000, "requestBytes": 50_000},
            "reachability": {
                "verdict": "public",
                "how": "3 of 3 peers in different networks that tried could dial this daemon.",
                "asked": 3,
                "reached": 3,
                "relays": [],
                "portMapping": {
                    "state": "mapped",
                    "gateway": "192.168.1.1",
                    "externalAddress": "203.0.113.7",
                    "ports": [{"port": 4_327, "externalPort": 4_327}],
                    "expires": samples.NOW + 3_600_000,
                },
            },
        },
    ),
)

SETTINGS = (
    Method(
        name="getSettings",
        params=NoParams,
        result=node.SettingsInForce,
        scope=Scope.ADMIN,
        summary="The settings the daemon runs with, where each came from, and which wait for a reload or a restart.",
        example={},
        answer={
            "settings": [
                {
                    "name": "log.level",
                    "value": "info",
                    "origin": "default",
                    "waiting": {"value": "debug", "origin": "file /var/lib/musigd/musigd.toml", "byReload": True},
                },
                {"name": "rpc.tls_cert", "origin": "default"},
            ]
        },
        whole_daemon=True,
    ),
)

PEERS = (
    Method(
        name="listPeers",
        params=NoParams,
        result=node.PeerList,
        scope=Scope.READ,
        summary="Connected peers, with the public keys known to sign there.",
        example={},
        answer={
            "peers": [
                {
                    "peerId": samples.PEER_B,
                    "multiaddrs": [samples.ADDRESS_B],
                    "direction": "outbound",
                    "since": samples.NOW,
                    "agent": "musigd/0.1.0",
                    "publicKeys": [samples.KEY_B],
                }
            ]
        },
    ),
    Method(
        name="connectPeer",
        params=node.ConnectPeer,
        result=node.ConnectedPeer,
        scope=Scope.ADMIN,
        summary="Dials a peer by address or pairing link, and keeps it connected until `disconnectPeer`.",
        example={"multiaddr": samples.ADDRESS_B},
        answer={"peerId": samples.PEER_B, "alreadyConnected": False, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="disconnectPeer",
        params=node.NamePeer,
        result=node.NamedPeer,
        scope=Scope.ADMIN,
        summary="Closes the connections to a peer and keeps it no more; it may connect again, see banPeer.",
        example={"peerId": samples.PEER_B},
        answer={"peerId": samples.PEER_B, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="banPeer",
        params=node.BanPeer,
        result=node.Banned,
        scope=Scope.ADMIN,
        summary="Refuses a peer for a while.",
        example={"peerId": samples.PEER_B, "durationMs": 3_600_000, "reason": "tries every door"},
        answer={**_BAN, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="unbanPeer",
        params=node.NamePeer,
        result=node.NamedPeer,
        scope=Scope.ADMIN,
        summary="Lifts a ban.",
        example={"peerId": samples.PEER_B},
        answer={"peerId": samples.PEER_B, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
    Method(
        name="listBans",
        params=NoParams,
        result=node.BanList,
        scope=Scope.READ,
        summary="Bans in force.",
        example={},
        answer={"bans": [_BAN]},
    ),
)

NODE = (*INFO, *SETTINGS, *PEERS, *CONTACTS)

TOKENS = (
    Method(
        name="createToken",
        params=node.CreateToken,
        result=node.TokenMade,
        scope=Scope.ADMIN,
        summary="A token for a wallet: what it may do, and with which keys. The token itself is shown only this once.",
        example={"scopes": ["discover", "sign"], "publicKeys": [samples.KEY_A], "label": "phone"},
        answer={"tokenId": "t1", "token": "mt_5b1c0e7f", "seq": 43},
        changes=True,
        secret=True,
        whole_daemon=True,
    ),
    Method(
        name="listTokens",
        params=NoParams,
        result=node.TokenList,
        scope=Scope.ADMIN,
        summary="Tokens in force, without the tokens themselves.",
        example={},
        answer={
            "tokens": [
                {
                    "tokenId": "t1",
                    "scopes": ["discover", "sign"],
                    "publicKeys": [samples.KEY_A],
                    "createKey": False,
                    "label": "phone",
                    "createdAt": samples.NOW,
                }
            ]
        },
        whole_daemon=True,
    ),
    Method(
        name="revokeToken",
        params=node.RevokeToken,
        result=node.Revoked,
        scope=Scope.ADMIN,
        summary="Ends a token and closes the connections that use it.",
        example={"tokenId": "t1"},
        answer={"revoked": True, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
)
