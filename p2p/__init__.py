"""The daemon's network: peers, streams, gossip and the DHT, on py-libp2p in a thread of its own."""

from p2p.stand_ins import stand_in

stand_in()
