"""``healthcare-deid files --dry-run``: estimate the outcome of a run from a sample."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import CommandError
from healthcare_deid.cli.log import counted
from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from healthcare_deid.report import AttributeCounts, DryRun

_FATES = ("kept", "changed", "dummy", "emptied", "removed", "added")
_ANY_SECRET = 32


def dry_run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, whose function receives ``dry_run`` and ``sample``."""
    for option in (
        click.option(
            "--sample",
            type=click.IntRange(min=1),
            default=100,
            show_default=True,
            help="Number of files --dry-run looks at; the same ones every time.",
        ),
        click.option(
            "--dry-run",
            is_flag=True,
            help="Estimate from a sample what would be done to how many files. Nothing is written, not even a "
            "run folder.",
        ),
    ):
        function = option(function)
    return function


def show_dry_run(
    config: Any,
    engine: dict[str, Any],
    source: Any,
    *,
    style: str,
    quiet: bool,
    **options: Any,
) -> None:
    """Look at a sample of a source and print the expected outcome for all of it.

    Args:
        config: The config.
        engine: The arguments of `Deidentifier`.
        source: The source.
        style: ``text`` or ``json``.
        quiet: Show no progress.
        **options: Further arguments of `dry_run`.
    """
    from healthcare_deid.report import dry_run

    secret: Path | None = engine["secret"]
    if secret is not None and not secret.exists():  # the run would create it
        engine = engine | {"secret": secrets.token_bytes(_ANY_SECRET)}
    with Progress(quiet=quiet) as progress:
        told = dry_run(
            source,
            config,
            on_progress=progress.show,
            **options,
            **engine,
        )
    click.echo(json.dumps(told.to_dict(), indent=2, ensure_ascii=False)) if style == "json" else _print(told)
    if not (told.succeeded or told.refused or told.failures):
        raise CommandError("the sample holds no DICOM file: is SOURCE the right folder, and is it there?")


def _print(told: DryRun) -> None:
    exact = told.sampled == told.total
    click.echo(
        f"{counted(told.total, 'file')}, {'all' if exact else told.sampled} of them looked at; nothing was written."
    )
    if not exact:
        click.echo("In brackets: how many of all files that stands for, with 95 % confidence.")

    def say(count: int, what: str) -> None:
        if count:
            low, high = told.between(count)
            click.echo(f"{count} {what}" if exact else f"{count} of {told.sampled} ({low} to {high} of all) {what}")

    say(told.succeeded, "would be de-identified")
    say(told.duplicates, "are duplicates: their bytes are those of another file")
    for rule, count in told.refused.items():
        say(count, f"would be refused: {rule}")
    for (reason, text), count in told.failures.items():
        say(count, f"would fail: {reason}: {text}")
    for why, count in told.ignored.items():
        say(count, f"would be passed over: {why}")
    for text, count in told.warnings.items():
        say(count, f"would have the warning: {text}")
    pixels = told.pixels
    say(
        pixels.results,
        f"would have something covered in their pixels ({counted(pixels.rectangles, 'rectangle')} in the sample)",
    )
    _print_attributes(told.attributes)


def _print_attributes(attributes: Sequence[AttributeCounts]) -> None:
    """Print a row for each standard attribute that would change, and the number of the others."""
    shown = [
        one for one in attributes if not one.is_private and (one.changed or one.dummy or one.emptied or one.removed)
    ]
    if shown:
        width = max(len(one.name) for one in shown)
        click.echo(f"\n{'in the results of the sample':<{width}}{_cells(_FATES)}")
        for one in shown:
            click.echo(f"{one.name:<{width}}{_cells(getattr(one, fate) or '' for fate in _FATES)}".rstrip())
    private = [one for one in attributes if one.is_private]
    if private:
        removed = sum(not (one.kept or one.changed) for one in private)
        click.echo(f"private attributes: {removed} of {len(private)} would be removed everywhere")
    kept = sum(one.kept > 0 and one not in shown for one in attributes if not one.is_private)
    click.echo(f"{kept} standard attributes would be kept as they are; --format json lists every attribute")


def _cells(values: Iterable[object]) -> str:
    return "".join(f"{value!s:>9}" for value in values)
