import p2p  # noqa: F401 - its stand-ins must be there before a test imports libp2p itself
