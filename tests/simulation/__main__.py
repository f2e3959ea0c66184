"""Runs seeds: `python -m tests.simulation SEED [-v]`, or `--seeds FROM TO --jobs N`."""

import sys

from tests.simulation.command import main

sys.exit(main(sys.argv[1:]))
