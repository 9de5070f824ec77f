"""One file per command of `musigd`. Each takes the parsed arguments and returns the exit code.

What it raises, `config.output.outermost` turns into a sentence and an exit code.
"""
