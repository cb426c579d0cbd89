"""Standard error: lines of text for people, or an object of JSON a line for machines (``--log-format``).

In JSON every line that this program writes there is an object, also what was meant as text, such as a library's
warning. A line has only what the text has: no value of a tag, and no path unless ``--show-paths`` was given.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import click

from healthcare_deid._version import __version__
from healthcare_deid.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import TextIO

    from healthcare_deid.cli.exits import CommandError

Level = Literal["info", "warning", "error"]

COMMAND = "healthcare_deid.command"
"""Key of the click context's ``meta`` that has the words of the command."""
OPTION = "--log-format"
VARIABLE = "HEALTHCARE_DEID_LOG_FORMAT"
_COLORS: Mapping[Level, str | None] = {"info": None, "warning": "yellow", "error": "red"}
_LEVELS: Mapping[int, Level] = {Exit.SUCCEEDED: "info", Exit.PARTIAL: "warning", Exit.FINDINGS: "warning"}
"""Levels of exit codes; of others it is an error."""


class JsonLog(io.TextIOBase):
    """Stands in for standard error: a line that is written to it becomes an object.

    Args:
        stream: Where the objects go.
        command: The words of the command.
        now: The time.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        stream: TextIO,
        command: str = "",
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._command = command
        self._now = now
        self._clock = clock
        self._began = clock()
        self._line = ""
        self._lock = threading.RLock()
        self.error: tuple[str, str] | None = None
        """Kind and text of the error that ends the command."""
        self.counts: Mapping[str, int] = {}
        """Counts of the last progress."""

    def event(self, event: str, text: str = "", *, level: Level = "info", **more: object) -> None:
        """Write an object.

        Args:
            event: What happened: a word that stays.
            text: The same for a person, in words that may change.
            level: How bad it is.
            **more: Further keys.
        """
        moment = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said: dict[str, object] = {"time": moment, "level": level, "event": event, "command": self._command}
        said |= ({"message": text} if text else {}) | more
        with self._lock:
            self._stream.write(json.dumps(said) + "\n")
            self._stream.flush()

    def ended(self, code: int) -> None:
        """Write how the command ended."""
        if self._line.strip():
            self.write("\n")
        kind, text = self.error or ("", "")
        more: dict[str, object] = {"error": kind} if kind else {}
        reason = Exit(code).name.lower() if code in [*Exit] else "error"
        more |= {"exitCode": code, "reason": reason, "seconds": round(self._clock() - self._began, 3)}
        if self.counts:
            more["counts"] = dict(self.counts)
        self.event("ended", text, level=_LEVELS.get(code, "error"), **more)

    def writable(self) -> bool:
        """Return that lines can be written."""
        return True

    def write(self, text: str, /) -> int:
        """Take text; what is a whole line becomes an object."""
        with self._lock:
            *lines, self._line = (self._line + text).split("\n")
            for line in filter(None, map(str.strip, lines)):
                self.event("message", click.unstyle(line))
        return len(text)


def json_log() -> JsonLog | None:
    """Return the log in JSON; None where standard error is for people."""
    return sys.stderr if isinstance(sys.stderr, JsonLog) else None


def say(text: str, event: str = "message", *, level: Level = "info", message: str = "", **more: object) -> None:
    """Say something on standard error.

    Args:
        text: The line for people.
        event: What happened, in JSON.
        level: How bad it is.
        message: The words in JSON, where other keys have a part of the line; by default the line.
        **more: Further keys, in JSON.
    """
    log = json_log()
    if log is not None:
        log.event(event, message or text, level=level, **more)
    else:
        click.echo(click.style(text, fg=_COLORS[level]), err=True)


def say_error(error: CommandError) -> None:
    """Say which error ends the command; in JSON the last line does."""
    log = json_log()
    if log is not None:
        log.error = (error.kind, str(error))
    else:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)


@contextmanager
def as_json(command: str) -> Generator[None]:
    """Make standard error a log in JSON."""
    before = sys.stderr
    sys.stderr = JsonLog(before, command)
    try:
        yield
    finally:
        sys.stderr = before


@contextmanager
def telling_the_end() -> Generator[None]:
    """Write as a log's last line how the command ended, a wrong command line included."""
    log = json_log()
    if log is None:
        yield
        return
    code = int(Exit.ERROR)
    log.event("started", version=__version__)
    try:
        yield
        code = Exit.SUCCEEDED
    except click.exceptions.Exit as error:
        code = error.exit_code
        raise
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else code
        raise
    except click.ClickException as error:
        log.error, code = (type(error).__name__, error.format_message()), error.exit_code
        raise click.exceptions.Exit(code) from None
    except click.Abort:
        log.error = ("Abort", "the question was not answered with yes")
        raise click.exceptions.Exit(code) from None
    finally:
        log.ended(code)


def split_off(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return ``--log-format`` with its value, wherever they stand in a command line, and the other words."""
    end = words.index("--") if "--" in words else len(words)
    first: list[str] = []
    rest: list[str] = []
    place = 0
    while place < end:
        width = 2 if words[place] == OPTION else 1
        taken = words[place : min(place + width, end)]
        (first if words[place].partition("=")[0] == OPTION else rest).extend(taken)
        place += width
    return first, [*rest, *words[end:]]


def with_log_format(command: click.Command) -> click.Command:
    """Show ``--log-format`` among the options of a command and of those below it, where the group of all reads it."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_log_format(below)
    if all(OPTION not in parameter.opts for parameter in command.params):
        command.params.append(log_format())
    return command


def log_format(callback: Callable[[click.Context, click.Parameter, str], None] | None = None) -> click.Option:
    """Return the option."""
    return click.Option(
        [OPTION],
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        envvar=VARIABLE,
        show_envvar=True,
        is_eager=True,
        expose_value=False,
        callback=callback,
        help="What standard error gets: lines of text, or an object of JSON a line.",
    )


def choose(context: click.Context, parameter: click.Parameter, form: str) -> None:
    """Make standard error what the option says, until the command has ended."""
    del parameter
    if form == "json" and not context.resilient_parsing:
        context.with_resource(as_json(context.meta[COMMAND]))
