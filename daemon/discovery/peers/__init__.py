"""Discovery and peers: which are dialled, which are gone, where a key can be reached."""
