"""Header values that identify the patient, and their decoded texts."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import tag_for_keyword

from healthcare_deid.engine.dicom.charsets import read_text
from healthcare_deid.engine.text.dicom_dates import parse_da
from healthcare_deid.engine.text.find.header_values import PLACEHOLDERS, ValueKind, sources

if TYPE_CHECKING:
    from datetime import date


class OwnValue(NamedTuple):
    """A header value that identifies the patient.

    Attributes:
        source: Kind of the value.
        value: The encoded value.
        encodings: Python encodings of its SpecificCharacterSet.
    """

    source: ValueKind
    value: bytes
    encodings: tuple[str, ...]


# Attributes that identify a device or a trial, not the patient.
_DEVICE = (
    "DeviceSerialNumber GantryID DetectorID PlateID CassetteID StationName PerformedStationName ScheduledStationName "
    "ClinicalTrialProtocolID"
)


@cache
def own_sources() -> dict[int, ValueKind]:
    """Return the kind of each attribute that identifies the patient, by tag."""
    devices = {tag_for_keyword(keyword) for keyword in _DEVICE.split()}
    return {tag: source for tag, source in sources().items() if source is not ValueKind.CONTEXT and tag not in devices}


@cache
def name_tags() -> frozenset[int]:
    """Return the attributes that hold person names."""
    return frozenset(tag for tag, source in own_sources().items() if source is ValueKind.NAME)


def day_of(text: str) -> date | None:
    """Return the day of a DA or DT value, also in the ACR-NEMA form with dots."""
    return parse_da(text[:8]) or parse_da(text[:10])


def texts_of(item: OwnValue) -> list[str]:
    """Return the texts of a value.

    It is decoded by the named or a likely character set.
    """
    vr = "PN" if item.source is ValueKind.NAME else "LO"
    reading = read_text(item.value, vr, item.encodings)
    text = reading.text if reading.text is not None else item.value.decode("latin-1")
    parts = [re.sub(r"\s+", " ", part).strip(" \0") for part in text.split("\\")]
    return [part for part in parts if part and not is_placeholder(part)]


@lru_cache(maxsize=4096)
def is_placeholder(text: str) -> bool:
    """Return whether a header value is a placeholder such as ANONYMOUS."""
    return text.upper().strip("^= ") in PLACEHOLDERS
