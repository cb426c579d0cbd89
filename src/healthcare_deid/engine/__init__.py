"""The de-identification itself, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.engine.deidentifier import Deidentifier as Deidentifier
    from healthcare_deid.engine.identity.uid_mapper import UidMapper as UidMapper
    from healthcare_deid.engine.results import Change as Change
    from healthcare_deid.engine.results import ChangeAction as ChangeAction
    from healthcare_deid.engine.results import DeidentifyResult as DeidentifyResult
    from healthcare_deid.engine.results import Failure as Failure
    from healthcare_deid.engine.results import Redaction as Redaction
    from healthcare_deid.engine.results import TreeProgress as TreeProgress
    from healthcare_deid.engine.results import TreeReport as TreeReport

_HOMES = {
    "Change": "results",
    "ChangeAction": "results",
    "Deidentifier": "deidentifier",
    "DeidentifyResult": "results",
    "Failure": "results",
    "Redaction": "results",
    "TreeProgress": "results",
    "TreeReport": "results",
    "UidMapper": "identity.uid_mapper",
}

__all__ = [
    "Change",
    "ChangeAction",
    "Deidentifier",
    "DeidentifyResult",
    "Failure",
    "Redaction",
    "TreeProgress",
    "TreeReport",
    "UidMapper",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `Deidentifier` needs pydicom."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
