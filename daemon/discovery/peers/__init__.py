"""Discovery's view of peers: who is dialled, who is gone, where a key is reached."""
