"""The command group; a command's module is imported when the command is called."""

from __future__ import annotations

from importlib import import_module
from typing import NoReturn

import click

from healthcare_deid._version import __version__
from healthcare_deid.errors import DeidError

_COMMANDS = {
    "config": "Check and show a config.",
    "emulator": "Serve the Cloud Healthcare API on this machine.",
    "files": "De-identify a folder of DICOM files on this machine.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"healthcare_deid.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DeidError as error:
            _fail(error)


def _fail(error: DeidError) -> NoReturn:
    """Print an error of ours as one line, which is safe to log, instead of a traceback."""
    raise click.ClickException(str(error)) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="healthcare-deid")
def main() -> None:
    """De-identify DICOM: at Google, and on this machine."""
