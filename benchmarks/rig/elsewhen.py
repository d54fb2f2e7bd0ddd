"""The real command on a machine whose clock is wrong: `python -m benchmarks.rig.elsewhen -120 run ROSTER …`."""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Put the clock of this process forward by the seconds of the first argument, and be the command of the others."""
    ahead, right = float(sys.argv.pop(1)), time.time
    time.time = lambda: right() + ahead
    sys.argv[0] = "provisioner"
    from provisioner.__main__ import main as command

    command()


if __name__ == "__main__":
    main()
