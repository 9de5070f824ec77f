"""What is mended of py-libp2p, and whether it still has to be."""
