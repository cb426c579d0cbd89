"""The five transformations of a finding, and the token of contextual cleaning."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.text.calendar_dates import find_dates, shift_day
from healthcare_deid.engine.text.dicom_dates import shift_da, shift_dt
from healthcare_deid.engine.text.find.reading import read
from healthcare_deid.engine.text.info_types import DATE_TYPES

if TYPE_CHECKING:
    from datetime import date

_PN_DELIMITERS = frozenset("^=")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose instance is transformed: what date shifts and hashes are derived from.

    Attributes:
        identity: The patient ID, or the Study Instance UID where there is none.
        dates: The header's dates: they settle whether 03/04 is in March or April.
        key: A key that overrides the config's for this patient; None for none.
        reference_year: The year taken for dates that are written without one.
        days: Days that dates are shifted by, whatever the key says; None where the key says it.
    """

    identity: str = field(default="", repr=False)
    dates: frozenset[date] = field(default=frozenset(), repr=False)
    key: bytes | None = field(default=None, repr=False)
    reference_year: int = 2001
    days: int | None = field(default=None, repr=False)


class Transformation(Protocol):
    """Transformation of a finding."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return what replaces ``finding``, reported as infoType ``label``; None where that cannot be done."""
        ...


@dataclass(frozen=True, slots=True)
class Redact:
    """Erase."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the empty text."""
        return ""


@dataclass(frozen=True, slots=True)
class Mask:
    """Replace every character; a PN value keeps the delimiters of its components."""

    character: str = "*"

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return as many masking characters as there were characters."""
        if vr == "PN":
            return "".join(letter if letter in _PN_DELIMITERS else self.character for letter in finding)
        return self.character * len(finding)


@dataclass(frozen=True, slots=True)
class ReplaceWithInfoType:
    """Replace by the infoType's name in square brackets."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return ``[LABEL]``."""
        return f"[{label}]"


@dataclass(frozen=True, slots=True)
class CryptoHash:
    """Replace by HMAC-SHA-256 of the finding's UTF-8 bytes, in base64."""

    key: bytes = field(repr=False)

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the 44 characters; without the ``=`` at the end in PN, where it would begin a component group."""
        digest = hmac.digest(subject.key or self.key, finding.encode(), hashlib.sha256)
        text = base64.b64encode(digest).decode("ascii")
        return text.rstrip("=") if vr == "PN" else text


@dataclass(frozen=True, slots=True)
class DateShift:
    """Move dates by a number of days that is one and the same for a patient and key, and never zero."""

    key: bytes = field(repr=False)
    max_days: int = 100

    def days(self, subject: Subject) -> int:
        """Return the number of days: the subject's own, or one from ``-max_days`` to ``max_days`` without 0."""
        if subject.days is not None:
            return subject.days
        digest = hmac.digest(subject.key or self.key, subject.identity.encode(), hashlib.sha256)
        index = int.from_bytes(digest) % (2 * self.max_days)
        return index - self.max_days if index < self.max_days else index - self.max_days + 1

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the finding with its dates moved, spelled as they were; None if one is not in the calendar."""
        if label not in DATE_TYPES:
            return None
        days = self.days(subject)
        if vr == "DA":
            return shift_da(finding, days)
        if vr == "DT":
            return shift_dt(finding, days)
        return shift_text(finding, days, subject)


@dataclass(frozen=True, slots=True)
class Token:
    """Replace by a fixed token, such as ``[CTX]``."""

    text: str

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the token."""
        return self.text


def shift_text(finding: str, days: int, subject: Subject) -> str | None:
    """Return ``finding`` with every date in it moved by ``days``.

    Returns:
        None unless all of it could be read as dates, and something of it changed.
    """
    finding = read(finding).text
    found = find_dates(finding)
    if not found or found[0].start > 0 or found[-1].end < len(finding):
        return None
    pieces: list[str] = []
    position = 0
    for item in found:
        likely = [reading for reading in item.readings() if reading.to_date(subject.reference_year) in subject.dates]
        reading = (likely or [item])[0]
        day = reading.to_date(subject.reference_year)
        if day is None and item.other_reading is not None:
            reading = item.other_reading
            day = reading.to_date(subject.reference_year)
        new = shift_day(day, days) if day else None
        if new is None:
            return None
        pieces += [finding[position : item.start], reading.rewrite(finding, new)]
        position = item.end
    shifted = "".join(pieces)
    return shifted if shifted != finding else None  # a month moved by days is often the same month
