"""Protocol ids, topics and DHT keys are those of the golden file and of docs/protocol.md."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.own.publish import Publisher
from daemon.discovery.peers.connector import provider_key
from musig2.protocol.vectors import vectors
from p2p.node.dht import _provider_key
from tests.p2p.nodes import network

GOLDEN: dict[str, Any] = vectors()["network_names"]
DOCS = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()


@pytest.mark.network
async def test_streams_and_dht_records_have_the_names_of_the_golden_file() -> None:
    async with network(network=GOLDEN["network"]) as node:
        served = await node.inside(lambda inner: [str(name) for name in inner.host.get_mux().get_protocols()])
        assert set(GOLDEN["streams"].values()) <= set(served)
        pubkey = bytes.fromhex(GOLDEN["dht_record"]["pubkey"])
        assert await node.inside(lambda inner: inner.dht._key(pubkey)) == GOLDEN["dht_record"]["key"]


def test_topics_have_the_names_of_the_golden_file() -> None:
    net: Any = None
    publisher = Publisher(net=net, network=GOLDEN["network"], limits=DiscoveryLimits())
    assert publisher.topic_of("swap") == GOLDEN["topics"]["swap"]
    assert publisher.requests_topic == GOLDEN["topics"]["notices"]


def test_the_provider_key_is_the_one_of_the_golden_file() -> None:
    golden = GOLDEN["dht_provider"]
    key = provider_key(GOLDEN["network"], golden["type"], golden["now"], golden["shard"])
    assert key == hashlib.sha256(golden["text"].encode()).digest()
    assert _provider_key(key).hex() == golden["key"]


def test_every_name_is_documented() -> None:
    names = [*GOLDEN["streams"].values(), *GOLDEN["topics"].values(), GOLDEN["dht_record"]["key"]]
    general = [name.replace("test", "<network>", 1).replace("swap", "<type>") for name in names]
    general[-1] = "/musigd-<network>/<public key, 66 hex digits>"
    for name in (*general, "musigd/<network>/signers/<type>/<epoch>/<shard>", "h'1220' | SHA256(SHA256("):
        assert name in DOCS, name
