"""One file per command of `musigd`. Each takes the parsed arguments and returns the exit code."""
