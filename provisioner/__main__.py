"""Where the command begins: until it minds signals itself, an interrupt simply ends it, without a traceback."""

import gc
import io
import os
import signal
import sys
from types import FrameType

ALLOCATOR = "_RJEM_MALLOC_CONF"


def main() -> None:
    """Run the command."""
    # No default action: when polars is imported it takes SIGINT for itself, and passes it on to a handler alone.
    signal.signal(signal.SIGINT, _be_ended)
    # A terminal that is closed ends a run as SIGTERM does, also at its start; after nohup it ends nothing.
    if (hangup := getattr(signal, "SIGHUP", None)) is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, lambda *_: _be_ended(signal.SIGTERM, None))
    # What is imported stays: to look through it for garbage all the while takes a fifth of the start.
    gc.set_threshold(200_000)
    # Read when polars is loaded. Its allocator would keep four arenas for each core, and in each what was let go of:
    # with two, a run takes 50 MiB less, and no more time. What somebody has set comes behind it, and counts.
    os.environ[ALLOCATOR] = f"narenas:2,{os.environ.get(ALLOCATOR, '')}".rstrip(",")
    # structlog takes it in, and what colours code with it, to draw tracebacks. None is drawn here: they go into a file.
    sys.modules["rich.traceback"] = None  # type: ignore[assignment]
    _open_standard_streams()
    from provisioner.cli.app import main as run

    run()


def _be_ended(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _open_standard_streams() -> None:
    # Started with `>&-` or by some daemons, a process lacks them; then its first files and sockets would take their
    # place, and what is printed would end up there.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", closefd=False))
    # Under PYTHONUNBUFFERED a text goes to the system in one piece, and what that does not take at once is lost: a pipe
    # whose reader is slow takes 64 KiB. A buffer goes on until all of it is written.
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream.buffer, io.RawIOBase):
            setattr(sys, name, os.fdopen(stream.fileno(), "w", 1, stream.encoding, stream.errors, closefd=False))


if __name__ == "__main__":
    main()
