"""`musigd demo`."""

from __future__ import annotations

import argparse

from daemon.demo.run import DemoOptions, run_demo


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo with the options given."""
    return run_demo(
        DemoOptions(
            signers=arguments.signers,
            scheme=arguments.scheme,
            messages=arguments.messages,
            json=arguments.json,
            keep=arguments.keep,
        )
    )
