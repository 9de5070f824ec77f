"""One life of the libp2p node, on the trio side."""
