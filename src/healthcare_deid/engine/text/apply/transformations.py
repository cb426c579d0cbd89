"""The five transformations of a finding, and the token of contextual cleaning."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.text.calendar_dates import find_dates, shift_day
from healthcare_deid.engine.text.dicom_dates import shift_da, shift_dt
from healthcare_deid.engine.text.find.normalization import normalize_text
from healthcare_deid.engine.text.info_types import DATE_TYPES
from healthcare_deid.engine.text.match import CutMatch

if TYPE_CHECKING:
    from datetime import date

    from healthcare_deid.engine.text.match import Match

_PN_DELIMITERS = frozenset("^=")


@dataclass(frozen=True, slots=True)
class Subject:
    """Patient and header context that date shifts and hashes depend on.

    Attributes:
        identity: Patient ID, or else the Study Instance UID.
        dates: Dates in the header, which decide whether 03/04 is in March or April.
        key: Key that overrides the config's for this patient, or None.
        reference_year: Year assumed for dates without one.
        days: Fixed number of days for date shifts; None if it is derived from the key.
    """

    identity: str = field(default="", repr=False)
    dates: frozenset[date] = field(default=frozenset(), repr=False)
    key: bytes | None = field(default=None, repr=False)
    reference_year: int = 2001
    days: int | None = field(default=None, repr=False)


class Transformation(Protocol):
    """Transformation of a finding."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the replacement for a finding, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Redact:
    """Erase the finding."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return an empty string."""
        return ""


@dataclass(frozen=True, slots=True)
class CharacterMask:
    """Replace every character; delimiters in a PN value stay."""

    character: str = "*"

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return as many masking characters as the finding has characters."""
        if vr == "PN":
            return "".join(letter if letter in _PN_DELIMITERS else self.character for letter in finding)
        return self.character * len(finding)


@dataclass(frozen=True, slots=True)
class ReplaceWithInfoType:
    """Replace the finding by its infoType in square brackets."""

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return ``[LABEL]``."""
        return f"[{label}]"


@dataclass(frozen=True, slots=True)
class CryptoHash:
    """Replace the finding by the HMAC-SHA-256 of its UTF-8 bytes, in base64."""

    key: bytes = field(repr=False)

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the hash of 44 characters."""
        digest = hmac.digest(subject.key or self.key, finding.encode(), hashlib.sha256)
        text = base64.b64encode(digest).decode("ascii")
        return text.rstrip("=") if vr == "PN" else text  # in PN, "=" separates component groups (PS3.5 section 6.2)


@dataclass(frozen=True, slots=True)
class DateShift:
    """Shift dates by a fixed number of days.

    It depends on patient and key, and is never 0.
    """

    key: bytes = field(repr=False)
    max_days: int = 100

    def days(self, subject: Subject) -> int:
        """Return the number of days.

        It is the subject's own, or one from ``-max_days`` to ``max_days`` without 0.
        """
        if subject.days is not None:
            return subject.days
        digest = hmac.digest(subject.key or self.key, subject.identity.encode(), hashlib.sha256)
        # 0 is left out, because it would keep the true dates.
        index = int.from_bytes(digest) % (2 * self.max_days)
        return index - self.max_days if index < self.max_days else index - self.max_days + 1

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the finding with shifted dates in their original format.

        Returns None if a date is out of range.
        """
        if label not in DATE_TYPES:
            return None
        days = self.days(subject)
        if vr == "DA":
            return shift_da(finding, days)
        if vr == "DT":
            return shift_dt(finding, days)
        return shift_text(finding, days, subject)


@dataclass(frozen=True, slots=True)
class FixedToken:
    """Replace the finding by a fixed token, such as ``[CTX]``."""

    text: str

    def apply(self, finding: str, label: str, vr: str, subject: Subject) -> str | None:
        """Return the token."""
        return self.text


def not_possible(label: str, vr: str, finding: Match) -> str:
    """Return the warning about a finding that was erased because it cannot be transformed."""
    if isinstance(finding, CutMatch):
        return (
            f"{label} in {vr}: a finding of {finding.cut_by} covers a part of it, and the rest cannot be transformed, "
            f"so it was erased; narrow the pattern of {finding.cut_by}, or give its detector a higher rank"
        )
    return f"{label} in {vr}: the transformation is not possible there, so it was erased"


def shift_text(finding: str, days: int, subject: Subject) -> str | None:
    """Shift every date in a finding.

    Returns:
        The shifted text, or None unless all of the finding was read as dates and something changed.
    """
    finding = normalize_text(finding).text
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
    return shifted if shifted != finding else None  # a date that names only a month often stays in it
