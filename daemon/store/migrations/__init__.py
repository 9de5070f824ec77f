"""The numbered SQL files, `NNNN_name.sql`: never changed once released, only followed by a later one."""
