"""A peer on go-libp2p: its network is Go's, its records and signatures are this repository's."""
