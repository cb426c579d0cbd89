"""The register of observations: rows of the fidelity table that can be settled by looking, and those that cannot.

An observation returns facts by name, in a form that is the same in every run: never a value that was made at random,
never the text of an error. Beside it stands what the emulator shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance_lab import Lab

Facts = dict[str, Any]

KEEP: Facts = {"dicom": {}}
REMOVE: Facts = {"dicom": {"removeList": {"tags": ["PatientComments", "RequestingPhysician"]}}}
CONTENTS: Facts = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}
"""Configs that more than one file of observations uses; asked for twice, they run once."""


@dataclass(frozen=True)
class Observation:
    """One row of the table: what to look at, and what the emulator shows."""

    id: str
    default: Facts
    look: Callable[[Lab], Facts]
    needs_bucket: bool = False


OBSERVATIONS: list[Observation] = []

NOT_OBSERVED = {
    "F-20": "The client decides it",
    "F-26": "The client decides it",
    "F-27": "The other rows look at codes",
    "F-37": "The service has these methods",
    "O-16": "Would use a quota up",
    "O-19": "Needs a service that is busy",
}


def observes(
    name: str, *, needs_bucket: bool = False, **default: Any
) -> Callable[[Callable[[Lab], Facts]], Callable[[Lab], Facts]]:
    """Register a function under a row's id, with the facts that the emulator shows."""

    def register(look: Callable[[Lab], Facts]) -> Callable[[Lab], Facts]:
        OBSERVATIONS.append(Observation(name, default, look, needs_bucket))
        return look

    return register
