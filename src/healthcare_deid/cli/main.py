"""Main command group. A command's module is imported when the command is called."""

from __future__ import annotations

import errno
import os
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

import click

from healthcare_deid._version import __version__
from healthcare_deid.cli.exits import SERVER_TEXT, CommandError, command_error, stopped, terminable
from healthcare_deid.cli.log import (
    COMMAND,
    OPTION,
    choose,
    log_format,
    say_error,
    saying_logs,
    split_off,
    telling_the_end,
    with_log_format,
)
from healthcare_deid.cli.paths import SHOW_PATHS
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMANDS = {
    "audit": "List what may still identify somebody in DICOM files.",
    "compare": "Show what became of DICOM files, tag by tag and in pictures.",
    "config": "Create, check, show and convert configs.",
    "datasets": "Create, list, de-identify and delete datasets.",
    "demo": "De-identify sample images on this machine and show the outcome.",
    "dicom-stores": "Create, fill, list, de-identify and delete DICOM stores.",
    "emulator": "Serve the Cloud Healthcare API on this machine.",
    "fhir-stores": "De-identify FHIR stores.",
    "files": "De-identify a folder of DICOM files on this machine.",
    "masks": "Propose regions to cover, by device.",
    "review": "Approve or reject a run's results in a local browser.",
    "operations": "Describe, list, wait for and cancel operations.",
    "report": "Write the report of a run, for a person to read and sign.",
    "reidentify": "Restore identities, with the key or the vault.",
    "secret": "Create project secrets and tell them apart.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"healthcare_deid.cli.{cmd_name.replace('-', '_')}").command
        return with_log_format(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or refuse an unknown one with the nearest names."""
        near = get_close_matches(args[0], _COMMANDS) if args and args[0] not in _COMMANDS else []
        if near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {' or '.join(near)}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line. Global options may also follow the command."""
        first, rest = split_off(args)
        if first and first[-1] == OPTION:
            ctx.fail(f"Option '{OPTION}' requires an argument.")
        ctx.meta[COMMAND] = " ".join(self._names(ctx, rest))
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        return super().parse_args(ctx, [*first, *rest])

    def _names(self, ctx: click.Context, words: list[str]) -> Iterator[str]:
        """Yield the words of a command line that name the command, without options and arguments."""
        command: click.Command | None = self
        for word in words:
            command = command.get_command(ctx, word) if isinstance(command, click.Group) else None
            if command is None:
                break
            yield word

    def invoke(self, ctx: click.Context) -> object:
        """Run a command. Errors become one line and an exit code, and never quote data."""
        with telling_the_end(), saying_logs():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> object:
        try:
            with terminable():
                return super().invoke(ctx)
        except CommandError as error:
            problem = error
        except DeidError as error:
            problem = command_error(error, server_text=bool(ctx.meta.get(SERVER_TEXT)))
        except KeyboardInterrupt as error:
            problem = stopped(error, "")
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            where = f": {error.filename}" if error.filename and ctx.meta.get(SHOW_PATHS, True) else ""
            remedy = _NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            problem = CommandError(f"{reason}{where}{remedy}", kind=type(error).__name__)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:  # noqa: BLE001 - the text of an unforeseen error may quote data
            from healthcare_deid._border import place

            kind = type(error).__name__
            problem = CommandError(f"unexpected {kind} at {place(error)}; please report it", kind=kind)
        say_error(problem)
        raise click.exceptions.Exit(problem.code)


_NO_ROOM = "; make room and run the same command again: a run goes on where it stopped"

_EXAMPLES = """\b
Examples:
  healthcare-deid demo
  healthcare-deid files scans/ clean/ --preset basic-profile
  healthcare-deid audit clean/ --against scans/
  healthcare-deid config init config.yaml --preset contents

\b
Completion: eval "$(_HEALTHCARE_DEID_COMPLETE=bash_source healthcare-deid)"
(or zsh_source, fish_source) in the file that your shell reads when it starts."""


@click.group(cls=_LazyGroup, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="healthcare-deid")
def main() -> None:
    """De-identify DICOM with Google's service or on this machine.

    Every command has its own --help.
    """


main.params.append(log_format(choose))
