"""`python -m provisioner.emulator`: the emulator on its own."""

from cyclopts import App

from provisioner.emulator.command import emulator

app = App(
    name="python -m provisioner.emulator",
    default_command=emulator,
    version_flags=(),
    help_format="plaintext",
    help_formatter="plain",
    error_formatter=lambda error: f"error: {error}",
)

if __name__ == "__main__":
    app()
