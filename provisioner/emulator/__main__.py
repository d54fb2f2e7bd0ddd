"""`python -m provisioner.emulator`: the emulator on its own."""

import typer

from provisioner.emulator.command import emulator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(emulator)

if __name__ == "__main__":
    app(prog_name="python -m provisioner.emulator")
