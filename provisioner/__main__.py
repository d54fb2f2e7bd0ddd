"""Where the command begins: before anything heavy is imported, an interrupt simply ends it, without a traceback."""

import signal


def main() -> None:
    """Run the command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from provisioner.cli import main as run

    run()


if __name__ == "__main__":
    main()
