"""The group and its library: libsecp256k1, points, hashes, memory for secrets."""
