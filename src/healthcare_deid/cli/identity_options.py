"""Options for pseudonyms, dates and the project's own values."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine import Dates, Pseudonyms

_OPTIONS = (
    click.option(
        "--pseudonyms",
        metavar="keyed|TABLE.csv",
        help="Give patients pseudonyms: derived from the secret, or from a table with the columns old_id and new_id.",
    ),
    click.option(
        "--sequential",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="TABLE.csv",
        help="Number patients in order of first appearance. The table is created, and continued by later runs.",
    ),
    click.option(
        "--pseudonym-prefix", metavar="TEXT", help="Prefix of every pseudonym. Default with --sequential: SITE-."
    ),
    click.option(
        "--missing-patients",
        type=click.Choice(["fail", "keyed", "add"]),
        help="What happens to a patient who is not in the table: a failure (the default), a keyed pseudonym, or a row.",
    ),
    click.option(
        "--shift-dates", is_flag=True, help="Shift every date that would stay by one number of days per patient."
    ),
    click.option("--birth-year", is_flag=True, help="Keep the shifted year of birth."),
    click.option("--keep-high-ages", is_flag=True, help="Keep ages over 90 instead of writing 90."),
    click.option(
        "--event",
        metavar="CODE",
        help="Write the days from the patient's anchor date in the table to each study, as event CODE, such as "
        "ENROLLMENT.",
    ),
    click.option(
        "--set",
        "set_values",
        multiple=True,
        metavar="TAG=VALUE",
        help="Set an element, such as ClinicalTrialProtocolID=X-17. Repeatable.",
    ),
    click.option(
        "--replace",
        "replacements",
        multiple=True,
        nargs=3,
        metavar="TAG PATTERN REPLACEMENT",
        help="Rewrite a regular expression in an element. Repeatable.",
    ),
)


def identity_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options to a command below `engine_options`; their arguments are added to its ``engine``."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(
            *arguments: Any,
            engine: dict[str, Any],
            pseudonyms: str | None,
            sequential: Path | None,
            pseudonym_prefix: str | None,
            missing_patients: str | None,
            shift_dates: bool,
            birth_year: bool,
            keep_high_ages: bool,
            event: str | None,
            set_values: Sequence[str],
            replacements: Sequence[tuple[str, str, str]],
            **others: Any,
        ) -> Any:
            made = {
                "pseudonyms": _pseudonyms(pseudonyms, sequential, pseudonym_prefix, missing_patients),
                "dates": _dates(event or "", shifts=shift_dates, birth_year=birth_year, keeps_ages=keep_high_ages),
                "set_values": dict(map(_assignment, set_values)) or None,
                "replace": tuple(replacements),
            }
            return function(*arguments, engine=engine | made, **others)

        with_options: Callable[..., Any] = command
        for option in reversed(_OPTIONS):
            with_options = option(with_options)
        return with_options

    return decorate


def _pseudonyms(
    asked: str | None, sequential: Path | None, prefix: str | None, missing: str | None
) -> Pseudonyms | None:
    from healthcare_deid.engine import Pseudonyms

    if asked is not None and sequential is not None:
        raise click.UsageError("--pseudonyms and --sequential exclude each other: give one")
    if missing is not None and asked in (None, "keyed"):
        raise click.UsageError("--missing-patients needs --pseudonyms with a table")
    if sequential is not None:
        return Pseudonyms.sequential(sequential, "SITE-" if prefix is None else prefix)
    if asked is None:
        if prefix is not None:
            raise click.UsageError("--pseudonym-prefix needs --pseudonyms or --sequential")
        return None
    if asked == "keyed":
        return Pseudonyms.keyed(prefix or "")
    return Pseudonyms.from_table(asked, missing=missing or "fail", prefix=prefix or "")


def _dates(event: str, *, shifts: bool, birth_year: bool, keeps_ages: bool) -> Dates | None:
    from healthcare_deid.engine import Dates

    if not shifts:
        if birth_year or keeps_ages or event:
            raise click.UsageError("--birth-year, --keep-high-ages and --event need --shift-dates")
        return None
    return Dates(birth_year=birth_year, cap_ages=not keeps_ages, event=event)


def _assignment(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise click.UsageError("--set needs TAG=VALUE")
    return name.strip(), value
