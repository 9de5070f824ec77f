"""The guards of p2p: what of py-libp2p is mended where, why, and how long. `covers` names what replaces something.

docs/decisions/libp2p.md has them as a table: python -m tests.libp2p.page writes it. `faults` show that the library as
it comes needs the guard (`tests/libp2p/faults.py`), `tests` that the guard works.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """`covers`: `module.Class` or `module.Class.member` or `module:name that is set in the library`."""

    name: str
    covers: tuple[str, ...]
    why: str
    until: str  # what in the library would make it unnecessary
    tests: tuple[str, ...]
    faults: tuple[str, ...] = ()


GUARDS_TESTS = "tests/p2p/compat/test_compat_guards.py"
SETTINGS_TESTS = "tests/p2p/compat/test_compat_settings.py"
YAMUX_TESTS = "tests/p2p/compat/test_compat_yamux.py"
NEGOTIATION_TESTS = "tests/p2p/compat/test_negotiation.py"
STAND_INS_TESTS = "tests/p2p/compat/test_stand_ins.py"
BOUNDS_TESTS = "tests/p2p/node/test_dht_bounds.py"

GUARDS: tuple[Guard, ...] = (
    Guard(
        "tasks survive",
        (
            "guard.GuardedTasks",
            "swarm.GuardedSwarm.manager",
            "kad.GuardedDHT.manager",
            "pubsub.GuardedGossipSub.manager",
            "pubsub.GuardedPubsub.manager",
        ),
        "an exception in any background task, which a peer's bytes can cause, stops the host",
        "tasks of a service that are supervised each for itself",
        (f"{GUARDS_TESTS}::test_an_exception_in_a_background_task_does_not_end_its_service",),
        ("a_failing_task_ends_its_service",),
    ),
    Guard(
        "streams are lost alone",
        ("host.GuardedHost._swarm_stream_handler",),
        "an exception in a stream handler or a negotiation stops the host; streams are opened as fast as a peer likes",
        "handlers whose exceptions reset their stream, and a rate per peer",
        (f"{GUARDS_TESTS}::test_an_exception_in_a_stream_handler_costs_the_stream_and_counts_against_the_peer",),
        ("a_failing_stream_handler_stops_the_host",),
    ),
    Guard(
        "slots come back",
        ("swarm.GuardedSwarm.__init__", "swarm.GuardedSwarm._handle_inbound_connection", "swarm.GuardedSwarm.add_conn"),
        "an inbound connection keeps its slot for ever: after 250 nobody gets in; twins are kept; anybody is let in",
        "a slot that is freed when the handshake or the connection ends, and a hook that admits",
        (f"{SETTINGS_TESTS}::test_no_slot_is_held_once_a_connection_has_ended",),
        ("an_ended_inbound_connection_keeps_its_slot",),
    ),
    Guard(
        "dialling",
        ("swarm.Dial", "swarm.GuardedSwarm.dial_peer"),
        "one address of a peer is tried, 250 ms after the dial, and a failure blocks the peer for 60 s",
        "addresses tried side by side, no negative cache by default",
        (f"{SETTINGS_TESTS}::test_every_address_of_a_peer_is_tried_not_only_the_first",),
        ("a_failed_dial_blocks_the_peer",),
    ),
    Guard(
        "no automatic dials",
        ("swarm_conn.NoConnector",),
        "it dials everybody whose address it heard, from whomever, up to half of the connections it may have",
        "a connector that can be switched off",
        (f"{SETTINGS_TESTS}::test_nobody_is_dialled_only_because_an_address_was_heard",),
        ("everybody_is_dialled_whose_address_was_heard",),
    ),
    Guard(
        "ends are told at once",
        ("swarm_conn.PromptConn", "swarm_conn:SwarmConn"),
        "the end of a connection is reported 100 to 200 ms late",
        "`SwarmConn` without its sleeps",
        ("tests/p2p/node/test_life.py::test_a_peer_hears_of_the_stop_at_once",),
        ("the_end_of_a_connection_is_told_late",),
    ),
    Guard(
        "one listener per port",
        ("tcp.GuardedTcpListener", "tcp.TcpTransport", "tcp.OpenSockets"),
        "two processes may listen on one port, each gets some of the connections; a taken port has no clear error",
        "SO_REUSEPORT by choice",
        ("tests/p2p/attacks/test_doors.py::test_a_taken_port_is_named_with_the_remedy",),
        ("two_processes_may_listen_on_one_port",),
    ),
    Guard(
        "TCP reads and addresses",
        ("tcp.BufferedTcpStream",),
        "a peer over IPv6 has no remote address, so no limit per source; a system call for each small read",
        "the first two of the four values of an IPv6 socket name, and a buffer",
        ("tests/p2p/attacks/test_attacks.py::test_all_addresses_of_an_ipv6_subscriber_are_one_source",),
        ("a_peer_over_ipv6_has_no_address",),
    ),
    Guard(
        "yamux",
        (
            "yamux.QuietYamux",
            "yamux.ProtocolBroken",
            "yamux_stream.QuietStream",
            "upgrade.Upgrader.upgrade_connection",
            "swarm_conn.UnreadOfStrangers",
        ),
        "more is taken than a stream's window; an update for every read; at a zero window a writer polls, then fails",
        "all of it: reading, writing, flow control, bounds",
        (YAMUX_TESTS,),
        ("more_is_taken_than_the_window_of_a_stream",),
    ),
    Guard(
        "address book",
        ("peerstore.BoundedPeerStore",),
        "addresses of a peer are kept without bound, and a full book evicts the own keys",
        "a bound per peer, and entries that are not evicted",
        (f"{SETTINGS_TESTS}::test_a_full_address_book_keeps_the_own_keys_and_the_connected_peers",),
        ("addresses_of_a_peer_are_kept_without_bound",),
    ),
    Guard(
        "identify",
        (
            "host.GuardedHost.__init__",
            "host.GuardedHost.get_addrs",
            "host.GuardedHost._get_first_connection",
            "host.GuardedHost._schedule_identify",
            "host.GuardedHost._identify_task_entry",
            "host.GuardedHost._identify_peer",
            "host.GuardedHost._push_identify_to_all_peers",
        ),
        "it runs once per peer, maybe over an ended connection, reads without bound, and tells private addresses",
        "one run per connection, a bound, a filter of addresses",
        (
            f"{SETTINGS_TESTS}::test_identify_runs_again_at_the_next_connection",
            f"{SETTINGS_TESTS}::test_identify_tells_the_own_agent_and_only_addresses_that_may_be_announced",
        ),
    ),
    Guard(
        "gossip in bursts",
        ("pubsub.WideQueue", "pubsub:RpcQueue", "pubsub:SUBSCRIPTION_CHANNEL_SIZE"),
        "of a burst of more than 32 messages the rest is lost",
        "sizes of both queues as arguments",
        (f"{GUARDS_TESTS}::test_the_outbound_queue_takes_a_burst",),
        ("the_queue_to_a_peer_loses_a_burst",),
    ),
    Guard(
        "gossip after a restart",
        ("pubsub.GuardedPubsub.__init__",),
        "sequence numbers begin with the seconds of the clock, so that what follows a restart is dropped as known",
        "a counter from nanoseconds, as in go",
        (f"{GUARDS_TESTS}::test_the_settings_of_gossip_are_the_safe_ones",),
        ("sequence_numbers_begin_with_the_seconds",),
    ),
    Guard(
        "seen messages",
        ("pubsub.SeenIds",),
        "a thread per node sweeps them, and their number has no bound",
        "a bounded cache without a thread",
        (f"{GUARDS_TESTS}::test_seen_ids_are_bounded_and_need_no_thread",),
        ("a_node_has_a_thread_for_seen_ids",),
    ),
    Guard(
        "followers are kept",
        ("pubsub.GuardedPubsub._handle_dead_peer",),
        "the loss of one stream, as when a twin connection ends, makes it forget what the peer follows, for good",
        "topics that are forgotten with the last connection only",
        ("tests/p2p/node/test_gossip.py::test_a_lost_gossip_stream_is_opened_again_and_subscriptions_are_kept",),
        ("a_lost_stream_makes_it_forget_what_a_connected_peer_follows",),
    ),
    Guard(
        "peers are greeted with the present topics",
        ("pubsub.GuardedPubsub._handle_new_peer",),
        "a topic that is followed while the greeting of a peer is written is never told to that peer",
        "a greeting that is made when the peer is entered, or a second look at the topics after it",
        ("tests/p2p/node/test_gossip.py::test_a_topic_that_is_followed_while_a_peer_is_greeted_is_told_to_that_peer",),
        ("a_topic_followed_during_a_greeting_is_not_told",),
    ),
    Guard(
        "peers are greeted again",
        ("pubsub.GuardedPubsub.handle_dead_peer_queue",),
        "a greeting that is lost with one of two connections is not said again while there is nothing else to write",
        "another stream to a peer as soon as the connection of the first has ended",
        ("tests/p2p/node/test_gossip.py::test_a_greeting_that_is_lost_with_one_of_two_connections_is_said_again",),
        ("a_stream_that_ended_with_one_of_two_connections_is_kept",),
    ),
    Guard(
        "gossip is read with bounds",
        ("pubsub.GuardedPubsub.continuously_read_stream",),
        "topics that a peer invents are remembered; it dials whom a peer names although that is off; no pace",
        "topics by an allow list with patterns, `do_px` that is asked before dialling, a rate per peer",
        (
            f"{GUARDS_TESTS}::test_control_messages_are_cut_to_what_concerns_this_node",
            f"{GUARDS_TESTS}::test_the_node_survives_any_exception_in_the_reader_or_validator_of_gossip",
        ),
        ("topics_that_a_peer_invents_are_remembered", "a_peer_makes_it_dial_others_though_that_is_off"),
    ),
    Guard(
        "gossip is judged first",
        ("pubsub.GuardedPubsub.push_msg",),
        "more than 10 messages per second and topic are dropped without a word; a slow validator blames the sender",
        "one place where an owner decides by size, rate and content",
        (f"{GUARDS_TESTS}::test_junk_cannot_take_the_place_of_a_true_message",),
    ),
    Guard(
        "gossip forgets",
        (
            "pubsub.GuardedGossipSub.publish",
            "pubsub.GuardedGossipSub._check_equivocation",
            "pubsub.GuardedGossipSub.remove_peer",
            "pubsub.GuardedGossipSub._get_peers_to_send",
        ),
        "times and copies of messages and pauses of peers are never removed; own messages go to a thin mesh only",
        "tables that forget; flood publishing",
        (f"{SETTINGS_TESTS}::test_nothing_is_kept_of_a_peer_that_has_left",),
    ),
    Guard(
        "a DHT of one's own",
        ("kad.GuardedDHT.__init__", "kad_host.KadHost", "kad_host.AskedStream"),
        "its protocol id is a constant; a lookup waits ten seconds for each silent peer",
        "`protocol_prefix` that is used, and a time limit per question",
        (
            f"{SETTINGS_TESTS}::test_the_dht_has_a_protocol_of_its_own_and_refuses_unknown_namespaces",
            "tests/p2p/attacks/test_floods.py::test_a_peer_that_never_answers_makes_no_lookup_fail",
        ),
        ("the_dht_ignores_the_protocol_that_is_asked_for",),
    ),
    Guard(
        "ranges in the DHT's table",
        ("kad.Resident", "kad:_subnet_key", "kad.GuardedDHT._add_if_here"),
        "a bucket bounds the peers of a subnet by the address that they claim: none, or somebody else's",
        "the remote address of the connection as what is counted",
        ("tests/p2p/node/test_dht_ranges.py::test_of_one_range_two_strangers_enter_a_bucket_whatever_they_claim",),
        ("a_peer_of_the_dht_says_itself_of_which_subnet_it_is",),
    ),
    Guard(
        "the DHT's stores",
        (
            "kad.BoundedValues",
            "kad.BoundedProviders",
            "kad.GuardedDHT._add_closer_peers_to_response",
            "kad:MAX_DHT_MESSAGE_SIZE",
        ),
        "values and keys of any size are stored; messages of 4 MiB are read; answers may be larger than others read",
        "bounds as arguments",
        (f"{SETTINGS_TESTS}::test_the_stores_of_the_dht_are_bounded", BOUNDS_TESTS),
        ("the_dht_stores_values_of_any_size",),
    ),
    Guard(
        "the DHT tells",
        ("kad.GuardedDHT.spread_value", "kad.GuardedDHT.fresh_value", "kad.GuardedDHT.fresh_providers"),
        "a put that nobody took is no error; a get answers with a stale own copy",
        "`put_value` that says how many took it; a get that asks",
        (f"{SETTINGS_TESTS}::test_a_put_that_no_peer_accepts_raises",),
        ("a_put_that_nobody_took_is_not_told",),
    ),
    Guard(
        "closest to a record",
        ("kad.AnyKey", "kad:multihash"),
        "a FIND_NODE for the key of a record, which every node sends that stores one, is refused",
        "FIND_NODE for any key, as go and js answer it",
        ("tests/p2p/node/test_dht_of_others.py",),
        ("who_is_closest_to_the_key_of_a_record_is_not_said",),
    ),
    Guard(
        "the DHT serves all",
        ("kad.GuardedDHT.handle_stream", "kad.PacedStream"),
        "twelve idle streams lock everybody else out; messages are handled as fast as they come",
        "slots per peer, and a time limit per stream",
        ("tests/p2p/attacks/test_floods.py::test_a_flood_of_streams_is_bounded_and_disturbs_nobody",),
    ),
    Guard(
        "short negotiations",
        ("upgrade.ShortMultiselect", "upgrade._Counted", "upgrade.TooManyProposals", "upgrade:read_delim"),
        "proposals without end are answered, messages of any length read, to and from anybody",
        "a bound of proposals and of their length",
        (NEGOTIATION_TESTS,),
        ("proposals_without_end_are_answered",),
    ),
    Guard(
        "noise and yamux only",
        ("upgrade.Upgrader.__init__",),
        "plaintext, secio and mplex are offered by default; keys that are never admitted are read",
        "defaults without them, and a choice of key types",
        (
            f"{SETTINGS_TESTS}::test_the_settings_of_connections_are_the_safe_ones",
            f"{STAND_INS_TESTS}::test_a_peer_with_an_rsa_key_is_refused_before_its_key_is_read",
        ),
        ("plaintext_and_mplex_are_offered",),
    ),
    Guard(
        "whole messages",
        ("upgrade.WholeMessages",),
        "a message of a secured connection is read in two steps through six coroutines, with three lines of debug",
        "a buffered noise connection: measure (`make bench-signing`)",
        (f"{NEGOTIATION_TESTS}::test_messages_without_content_are_counted_and_not_read_for_ever",),
    ),
    Guard(
        "quiet",
        ("logs.quiet",),
        "modules log to the root logger and to standard error, from a thread without a bound",
        "a library that configures no logging",
        (f"{SETTINGS_TESTS}::test_importing_and_using_the_library_prints_nothing_and_leaves_the_root_logger_alone",),
    ),
    Guard(
        "the last of equal records",
        ("p2p.node.dht.SignerRecords",),
        "a record is stored again only if the validator selects the last of equal ones",
        "a put of what is stored already that is accepted",
        (f"{SETTINGS_TESTS}::test_of_identical_records_the_last_is_selected",),
    ),
    Guard(
        "own mDNS",
        ("p2p.node.mdns.Neighbours",),
        "the library's discovery blocks the event loop for seconds",
        "discovery that runs in a thread",
        ("tests/p2p/node/test_mdns.py",),
    ),
    Guard(
        "parts that are left out",
        ("p2p.stand_ins",),
        "the package imports every transport, key type and service: half of a start",
        "imports where they are used",
        (STAND_INS_TESTS,),
    ),
)
