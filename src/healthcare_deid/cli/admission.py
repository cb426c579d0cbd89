"""Admission rules as options of a command."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine import Admission

REFUSABLE = (
    "burned-in", "derived", "document", "localizer", "presentation-state", "raw-data", "report", "secondary-capture",
)  # fmt: skip
"""Names of `READY_RULES`, repeated so that the help need not load the engine; a test compares them."""

_OPTIONS = (
    click.option(
        "--admit",
        "rules",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="RULES",
        help="Rules of what may leave at all, as YAML or JSON; what they refuse is counted, and nothing is written.",
    ),
    click.option("--only-modality", multiple=True, metavar="MODALITY", help="Admit this modality only. Repeatable."),
    click.option(
        "--only-sop-class",
        multiple=True,
        metavar="CLASS",
        help="Admit this class only: UID or keyword. Repeatable.",
    ),
    click.option("--refuse", multiple=True, type=click.Choice(REFUSABLE), help="Refuse these. Repeatable."),
)


def admission_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, whose function receives ``admit``."""

    @functools.wraps(function)
    def command(
        *arguments: Any,
        rules: Path | None,
        only_modality: Sequence[str],
        only_sop_class: Sequence[str],
        refuse: Sequence[str],
        **others: Any,
    ) -> Any:
        return function(*arguments, admit=_admission(rules, only_modality, only_sop_class, refuse), **others)

    with_options: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options


def _admission(
    rules: Path | None, modalities: Sequence[str], classes: Sequence[str], refuse: Sequence[str]
) -> Admission | None:
    if rules is None and not (modalities or classes or refuse):
        return None
    from healthcare_deid.engine import Admission, AdmissionRule
    from healthcare_deid.engine.runs.admission import READY_RULES

    given = Admission.from_file(rules) if rules is not None else None
    refused = [READY_RULES[name] for name in dict.fromkeys(refuse)]
    only: list[AdmissionRule] = []
    if modalities or classes:
        if given is not None and given.admit:
            raise click.UsageError("--only-modality and --only-sop-class: the rules say already what is admitted")
        only = [AdmissionRule(name="only", modality=modalities or None, sop_class=classes or None)]
    if given is None:
        return Admission(refuse=refused, admit=only)
    return Admission(refuse=[*given.refuse, *refused], admit=only or given.admit)
