"""``healthcare-deid review``: a local page on which a person approves or rejects a run's results."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from healthcare_deid.cli.choice import with_choice
from healthcare_deid.cli.engine import engine_options
from healthcare_deid.cli.exits import CommandError
from healthcare_deid.cli.log import counted
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from healthcare_deid.cli.choice import Choice

_EXAMPLES = """\b
Examples:
  healthcare-deid review clean/ --originals scans/
  healthcare-deid review clean/ --originals scans/ --secret-file deid.secret --masks masks.json
  healthcare-deid review clean/ --export release/"""


@click.command("review", epilog=_EXAMPLES)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--originals",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The originals: to show them beside the results, and to run instances again.",
)
@click.option("--reviewer", help="Name of the reviewer. Default: the user of this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on. Default: any free port.")
@click.option("--no-browser", is_flag=True, help="Print the address without opening a browser.")
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    help="Copy approved results to this new folder instead of serving the page.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_choice(versions=True)
@engine_options()
def command(
    run: Path,
    choice: Choice,
    engine: dict[str, Any],
    originals: Path | None,
    reviewer: str | None,
    port: int,
    no_browser: bool,
    export: Path | None,
    quiet: bool,
) -> None:
    """Review the results of RUN, the folder of results or its run folder, in a browser on this machine.

    The worst come first: text that could not be read, doubtful lines, warnings; the others in random order. Pictures
    and text are shown beside the originals. Keys decide: a approves, r rejects. A rectangle that is drawn with the
    mouse is covered with Enter; a box that covers no text is picked with a click and removed with Delete. What was
    decided, by whom, when and why, is written into the run folder at once. Nothing leaves this machine.

    Removing a box runs the instance again from its original, by the config and options of the run. The run folder has
    them. Only what it has no values of has to be given again: the secret's file if it is not in the key folder, a
    config with keys, masks, a table of pseudonyms, a vault, certificates, --set and --replace. What is missing is said
    when the review starts.
    """
    from healthcare_deid.report import Decision, Review, ReviewServer
    from healthcare_deid.report.finished_run import FinishedRun

    if FinishedRun.of(run) is None:
        raise CommandError("there is no run folder: name it, or the folder of results beside it")
    review = Review(run, originals=originals, reviewer=reviewer, config=choice.read(), options=_given(engine))
    if export is not None:
        approved, undecided = review.count(Decision.APPROVED), review.count(Decision.OPEN)
        try:
            with Progress(quiet=quiet) as progress:
                done = review.export(export, on_progress=progress.show)
        except FileExistsError:
            raise CommandError("--export: the folder exists and is not empty: name a new one, or empty it") from None
        left = len(review.items) - done
        click.echo(
            f"{done} approved and copied, {left} left out ({review.count(Decision.REJECTED)} rejected, "
            f"{approved - done} changed since they were approved, {undecided} undecided)"
        )
        return
    with ReviewServer(review, port) as server:
        click.echo(f"{counted(len(review.items), 'result')}, {review.count(Decision.OPEN)} open: {server.url}")
        click.echo("Anybody with this address has access: do not share it. Ctrl-C ends.", err=True)
        if why := review.why_not_again():
            click.echo(f"Instances cannot be run again, and boxes not removed: {why}", err=True)
        if not no_browser:
            webbrowser.open(server.url)
        server.wait()


def _given(engine: dict[str, Any]) -> dict[str, Any]:
    """Return the engine's arguments that are on the command line: all others are the run's."""
    from healthcare_deid.engine import EngineOptions

    default, context = EngineOptions(), click.get_current_context()
    return {
        name: value
        for name, value in engine.items()
        if value != getattr(default, name) or context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
