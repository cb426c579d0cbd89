"""Messages on standard error: text for people, or one JSON object per line for machines (``--log-format``).

With JSON, every line that Python code writes to standard error becomes an object, including warnings of libraries. An
object holds nothing that the text would not: no tag values, and no paths without ``--show-paths``.
"""

from __future__ import annotations

import io
import json
import logging
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
"""Key of the click context's ``meta`` that holds the name of the command."""
OPTION = "--log-format"
VARIABLE = "HEALTHCARE_DEID_LOG_FORMAT"
_COLORS: Mapping[Level, str | None] = {"info": None, "warning": "yellow", "error": "red"}
_LEVELS: Mapping[int, Level] = {Exit.SUCCEEDED: "info", Exit.PARTIAL: "warning", Exit.FINDINGS: "warning"}
"""Level of the last line by exit code; "error" for all others."""


class JsonLog(io.TextIOBase):
    """Replacement for standard error that turns each line into a JSON object.

    Args:
        stream: Stream to write the objects to.
        command: Name of the command, without its arguments.
        now: Current time.
        clock: Monotonic clock, in seconds.

    Attributes:
        error: Class and text of the error that ends the command, if any.
        counts: Counts of the latest progress.
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
        self.counts: Mapping[str, int] = {}

    def event(self, event: str, text: str = "", *, level: Level = "info", **more: object) -> None:
        """Write one object.

        Args:
            event: Kind of event; a documented, stable word.
            text: Message for people; its wording may change.
            level: Severity.
            **more: Further keys.
        """
        moment = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said: dict[str, object] = {"time": moment, "level": level, "event": event, "command": self._command}
        said |= ({"message": text} if text else {}) | more
        with self._lock:
            self._stream.write(json.dumps(said) + "\n")
            self._stream.flush()

    def ended(self, code: int) -> None:
        """Write the last object: how the command ended."""
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
        """Return True."""
        return True

    def write(self, text: str, /) -> int:
        """Write each complete line as an object, and keep the rest for later."""
        with self._lock:
            *lines, self._line = (self._line + text).split("\n")
            for line in filter(None, map(str.strip, lines)):
                self.event("message", click.unstyle(line))
        return len(text)


def json_log() -> JsonLog | None:
    """Return the JSON log, or None if standard error is plain text."""
    return sys.stderr if isinstance(sys.stderr, JsonLog) else None


def say(text: str, event: str = "message", *, level: Level = "info", message: str = "", **more: object) -> None:
    """Write a message to standard error.

    Args:
        text: Line of text.
        event: Kind of event in the JSON log.
        level: Severity; warnings are yellow in a terminal, errors red.
        message: Message in the JSON log, if other keys hold a part of *text*; *text* by default.
        **more: Further keys in the JSON log.
    """
    log = json_log()
    if log is not None:
        log.event(event, message or text, level=level, **more)
    else:
        click.echo(click.style(text, fg=_COLORS[level]), err=True)


def counted(number: int, noun: str) -> str:
    """Return a number of things: ``1 file``, ``2 files``."""
    return f"{number} {noun}{'s' * (number != 1)}"


class _Sayings(logging.Handler):
    """Says what the package logs, from warnings on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record to standard error."""
        say(record.getMessage(), level="error" if record.levelno >= logging.ERROR else "warning")


@contextmanager
def saying_logs() -> Generator[None]:
    """Write warnings that the package logs to standard error inside the block, as other messages."""
    logger, handler = logging.getLogger("healthcare_deid"), _Sayings(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def say_error(error: CommandError) -> None:
    """Print the error that ends the command; the JSON log has it in its last line."""
    log = json_log()
    if log is not None:
        log.error = (error.kind, str(error))
    else:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)


@contextmanager
def as_json(command: str) -> Generator[None]:
    """Replace standard error by a JSON log inside the block."""
    before = sys.stderr
    sys.stderr = JsonLog(before, command)
    try:
        yield
    finally:
        sys.stderr = before


@contextmanager
def telling_the_end() -> Generator[None]:
    """Write the first and the last object of the JSON log around a command, whatever ends it."""
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
        log.error = ("Abort", "the prompt was not confirmed")
        raise click.exceptions.Exit(code) from None
    finally:
        log.ended(code)


def split_off(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into ``--log-format`` with its value, found at any position, and the other words."""
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
    """Add ``--log-format`` to the help of a command and its subcommands. The main group reads it."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_log_format(below)
    if all(OPTION not in parameter.opts for parameter in command.params):
        command.params.append(log_format())
    return command


def log_format(callback: Callable[[click.Context, click.Parameter, str], None] | None = None) -> click.Option:
    """Return the option ``--log-format``."""
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
        help="Format of messages on standard error: text, or one JSON object per line.",
    )


def choose(context: click.Context, parameter: click.Parameter, form: str) -> None:
    """Apply ``--log-format`` until the command has ended."""
    del parameter
    if form == "json" and not context.resilient_parsing:
        context.with_resource(as_json(context.meta[COMMAND]))
