"""`python -m tests.torture kills|network`: real processes, real faults, the history of a calm run.

A run that fails prints its seed and keeps its folder.
"""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.deployment import TortureError
from tests.torture.kills import torture_by_kills
from tests.torture.network import torture_by_network


def main() -> int:
    """Run one torture; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("what", choices=["kills", "network"])
    parser.add_argument("--count", type=int, help="kills (200) or faults (1000)")
    parser.add_argument("--loops", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    wish = parser.parse_args()
    seed = secrets.randbelow(10**6) if wish.seed is None else wish.seed
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    began_s = time.monotonic()
    try:
        if wish.what == "kills":
            done = torture_by_kills(folder, wish.loops, wish.count or 200, seed)
        else:
            done = torture_by_network(folder, wish.loops, wish.count or 1000, seed)
    except TortureError as error:
        print(f"{wish.what}, seed {seed}: {error}\nkept: {folder}", file=sys.stderr)
        print(f"again: python -m tests.torture {wish.what} --seed {seed}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    told = ", ".join(f"{count} {name}" for name, count in sorted(done.items()))
    took_s = time.monotonic() - began_s
    print(f"{wish.what}, seed {seed}: {sum(done.values())} in {took_s:.0f} s: {told}")
    print("the history of the calm run; no process, no file left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())
