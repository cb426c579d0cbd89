"""The de-identification itself, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.engine.deidentifier import Deidentifier as Deidentifier
    from healthcare_deid.engine.identity.uid_mapper import UidMapper as UidMapper
    from healthcare_deid.engine.records import BytesResult as BytesResult
    from healthcare_deid.engine.records import Change as Change
    from healthcare_deid.engine.records import ChangeAction as ChangeAction
    from healthcare_deid.engine.records import DeidentifyResult as DeidentifyResult
    from healthcare_deid.engine.records import Failure as Failure
    from healthcare_deid.engine.records import Redaction as Redaction
    from healthcare_deid.engine.records import TreeProgress as TreeProgress
    from healthcare_deid.engine.records import TreeReport as TreeReport

_HOMES = {
    "BytesResult": "records",
    "Change": "records",
    "ChangeAction": "records",
    "Deidentifier": "deidentifier",
    "DeidentifyResult": "records",
    "Failure": "records",
    "Redaction": "records",
    "TreeProgress": "records",
    "TreeReport": "records",
    "UidMapper": "identity.uid_mapper",
}

__all__ = [
    "BytesResult",
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
