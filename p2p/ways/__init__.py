"""The ways to a peer below Noise: opened by this host itself or by a SOCKS5 proxy such as Tor."""
