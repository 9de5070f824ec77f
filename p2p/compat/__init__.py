"""Everything that fixes or avoids a fault of py-libp2p 0.8.1, in one place, each with a test in tests/p2p/compat.

| fault in 0.8.1 | fixed in |
|---|---|
| an exception in a stream handler or a background task stops the host | guard.py, host.py, pubsub.py |
| inbound connection slots are never freed; idle connections hold them | swarm.py |
| a lost connection is reported 100 to 200 ms late | swarm_conn.py |
| one address per peer is dialled, 250 ms after the dial; a failure blocks the peer for 60 s | swarm.py |
| peers that both dial keep two connections; notes per peer are never removed | swarm.py |
| two processes may listen on one port; IPv6 peers have no remote address | tcp.py |
| an unread stream grows without bound; an update per read; zero window polls, fails | yamux.py, yamux_stream.py |
| own keys are evicted from a full peerstore; addresses per peer are unbounded | peerstore.py |
| identify runs only once per peer, reads without bound, reveals private addresses | host.py |
| bursts over 32 messages are lost; sequence numbers restart; 10 messages/s per topic | pubsub.py |
| the loss of one stream, as when a twin connection ends, makes it forget what the peer follows, for good | pubsub.py |
| a thread per node sweeps seen ids; topics that a peer invents are remembered for ever | pubsub.py |
| peers can make a node dial anybody (peer exchange), even if that is switched off | pubsub.py |
| the DHT's protocol id is a constant; its stores are unbounded; put never fails | kad.py |
| a FIND_NODE for the key of a record, which every node sends that stores one, is refused | kad.py |
| a negotiation reads messages of any length and answers proposals without end, to anybody | upgrade.py |
| twelve idle streams lock everybody else out of the DHT | kad.py |
| streams, pings, DHT and gossip messages are handled as fast as a peer sends them | host.py, kad.py, pubsub.py |
| plaintext, secio and mplex are offered by default | upgrade.py |
| a message of a secured connection is read in two steps through six coroutines | upgrade.py |
| library modules log to the root logger and to stderr | logs.py |
"""

from p2p.compat.logs import quiet

quiet()
