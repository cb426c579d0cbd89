"""Pseudonyms that are consistent across files and runs.

They replace patient IDs, names, accession numbers and study IDs.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, assert_never

from healthcare_deid.engine.identity.secret import PSEUDONYMS
from healthcare_deid.engine.identity.table import PseudonymTable, Row
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from os import PathLike

    from healthcare_deid.engine.identity.secret import ProjectSecret

# Crockford's 32 characters, which leave out the easily confused I, L, O and U.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Length without check character. 70 bits: the probability of any collision among ten million patients is 4e-8.
_CHARACTERS = 14
# Polynomial x^5 + x^2 + 1 of the field with 32 elements in which the check character is computed.
_FIELD = 0b100101
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
DAY_ZERO = date(2000, 1, 1)
"""Date that a patient's anchor date is shifted to."""
_NO_ROW = "the table of pseudonyms has no row for the patient: add one, or set missing= to keyed or add"
_NO_PATIENT = "the instance has no patient ID to look up in the table of pseudonyms"
_HEADING = ("old_id", "new_id", "new_name")


class Missing(Enum):
    """Treatment of a patient who is not in the table."""

    FAIL = "fail"
    """The instance fails."""
    KEYED = "keyed"
    """The patient gets a keyed pseudonym."""
    ADD = "add"
    """The patient gets a row: with a keyed pseudonym, or the next number of a sequential table."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Source of pseudonyms, made by `keyed`, `from_table` or `sequential`.

    Attributes:
        prefix: Prefix of every patient pseudonym.
        table: File of the table; None without a table.
        missing: Treatment of a patient who is not in the table.
        digits: Minimum number of digits of a sequential number; 0 for keyed pseudonyms.
        anchors: Whether a new table has a column for anchor dates.
    """

    prefix: str = ""
    table: Path | None = None
    missing: Missing = Missing.KEYED
    digits: int = 0
    anchors: bool = False

    @property
    def fingerprint(self) -> str:
        """Text that identifies these settings in a run's manifest.

        It has no identity and no path.
        """
        kind = (
            "sequential" if self.digits else "keyed" if self.table is None else f"table, missing: {self.missing.value}"
        )
        return f"{kind}, prefix {self.prefix!r}, digits {self.digits}, anchors {self.anchors}"

    @classmethod
    def keyed(cls, prefix: str = "") -> Self:
        """Derive pseudonyms from the project secret.

        A pseudonym has 14 characters and a check character (`check_pseudonym`).

        Args:
            prefix: Prefix of every patient pseudonym, such as ``"TRIAL-"``.

        Raises:
            ConfigError: *prefix* has more than 32 characters, or others than letters, digits, ``.``, ``_`` and ``-``.
        """
        return cls(_checked(prefix))

    @classmethod
    def from_table(cls, path: str | PathLike[str], *, missing: Missing | str = Missing.FAIL, prefix: str = "") -> Self:
        """Take pseudonyms from a CSV file.

        Args:
            path: The file. Its first line names the columns ``old_id`` and ``new_id``, and optionally ``new_name``,
                ``days`` or ``anchor``. Other columns are ignored.
            missing: Treatment of a patient without a row: ``"fail"``, ``"keyed"`` or ``"add"``.
            prefix: Prefix of keyed pseudonyms.

        Raises:
            ConfigError: *missing* or *prefix* is invalid.
        """
        try:
            known = Missing(missing)
        except ValueError:
            raise ConfigError('missing must be "fail", "keyed" or "add"') from None
        return cls(_checked(prefix), Path(path), known)

    @classmethod
    def sequential(
        cls, path: str | PathLike[str], prefix: str = "SITE-", *, digits: int = 4, anchors: bool = False
    ) -> Self:
        """Number patients in the order of their first appearance: ``SITE-0001``.

        Args:
            path: File of the table, created if it is missing. Later runs continue it.
            prefix: Prefix of every pseudonym.
            digits: Minimum number of digits.
            anchors: Record the first study date seen for each patient as the anchor; dates are shifted relative to it.

        Raises:
            ConfigError: *prefix* or *digits* is invalid.
        """
        if not 1 <= digits <= 12:
            raise ConfigError("digits must be between 1 and 12")
        return cls(_checked(prefix), Path(path), Missing.ADD, digits, anchors)


class PatientIdentity(NamedTuple):
    """A patient's new identity.

    Attributes:
        new_id: The pseudonym.
        new_name: Replacement for the name.
        shift_by: Input for deriving the date shift if neither days nor anchor is given.
        days: Days to shift dates by; None if they are derived.
        anchor: The patient's anchor date; None without one.
    """

    new_id: str
    new_name: str
    shift_by: str
    days: int | None = None
    anchor: date | None = None

    def __repr__(self) -> str:
        return f"PatientIdentity({self.new_id!r})"

    @property
    def days_to_shift(self) -> int | None:
        """Days to shift dates by; None if they are derived."""
        return self.days if self.anchor is None else (DAY_ZERO - self.anchor).days


class Pseudonymizer:
    """Assigns pseudonyms to patients, accession numbers and study IDs.

    Args:
        settings: Source of pseudonyms.
        secret: Project secret; optional if every pseudonym is in the table.

    Raises:
        ConfigError: The secret is missing, or the table is invalid.
        OSError: The table cannot be read.
    """

    def __init__(self, settings: Pseudonyms, secret: ProjectSecret | None) -> None:
        keyed = not settings.digits and settings.missing is not Missing.FAIL
        if keyed and secret is None:
            raise ConfigError("pseudonyms are derived from the project secret: pass secret= (--secret-file) too")
        self._settings = settings
        self._key = secret.key(PSEUDONYMS) if secret is not None else None
        self._table: PseudonymTable | None = None
        if settings.table is not None:
            heading = (*_HEADING, "anchor") if settings.anchors else _HEADING
            self._table = PseudonymTable(settings.table, heading if settings.digits else None)

    def __repr__(self) -> str:
        return f"Pseudonymizer({self._table!r})" if self._table is not None else "Pseudonymizer()"

    @property
    def shifts_dates(self) -> bool:
        """Whether the table has date shifts."""
        return self._table is not None and self._table.has_shifts

    @property
    def has_numbers(self) -> bool:
        """Whether accession numbers and study IDs have pseudonyms, which are derived from the secret."""
        return self._key is not None

    def person(self, patient_id: str, study_uid: str = "", study_date: date | None = None) -> PatientIdentity:
        """Return a patient's new identity.

        Args:
            patient_id: As in the file; surrounding white space is ignored.
            study_uid: Input for the pseudonym if there is no patient ID.
            study_date: Anchor date for a patient who is added to a table with anchors.

        Raises:
            EngineError: The patient is not in the table and must be.
            OSError: The table cannot be read or appended to.
        """
        patient_id = patient_id.strip()
        table = self._table
        if table is None:
            return self._keyed_person(patient_id, study_uid)
        if not patient_id:
            raise EngineError(_NO_PATIENT, reason="no-patient-id")
        row = table.find(patient_id)
        if row is None:
            match self._settings.missing:
                case Missing.FAIL:
                    raise EngineError(_NO_ROW, reason="not-in-table")
                case Missing.KEYED:
                    return self._keyed_person(patient_id, study_uid)
                case Missing.ADD:
                    anchor = study_date if table.has_anchors else None
                    row = table.add(patient_id, lambda number: self._new(patient_id, number), anchor)
                case _:
                    assert_never(self._settings.missing)
        return _person(row)

    def known(self, patient_id: str) -> str | None:
        """Return the pseudonym of a mentioned patient, or None."""
        patient_id = patient_id.strip()
        row = self._table.find(patient_id) if self._table is not None else None
        if row is not None:
            return row.new_id
        keyed = self._settings.missing is not Missing.FAIL and not self._settings.digits
        return self._new(patient_id, 0) if keyed else None

    def accession_number(self, value: str) -> str | None:
        """Return the pseudonym of an accession number.

        Returns None without a secret.
        """
        return None if self._key is None else _pseudonym(self._key, "accession number", value)

    def study_id(self, value: str) -> str | None:
        """Return the pseudonym of a study ID.

        Returns None without a secret.
        """
        return None if self._key is None else _pseudonym(self._key, "study ID", value)

    def _keyed_person(self, patient_id: str, study_uid: str) -> PatientIdentity:
        assert self._key is not None
        kind, value = ("patient ID", patient_id) if patient_id else ("study UID", study_uid)
        new = self._settings.prefix + _pseudonym(self._key, kind, value)
        return PatientIdentity(new, new, value)

    def _new(self, patient_id: str, number: int) -> str:
        if self._settings.digits:
            return f"{self._settings.prefix}{number:0{self._settings.digits}}"
        assert self._key is not None
        return self._settings.prefix + _pseudonym(self._key, "patient ID", patient_id)


def check_pseudonym(pseudonym: str, prefix: str = "") -> bool:
    """Return whether the check character of a keyed pseudonym is right.

    It detects every single wrong character and every exchange of two characters.

    Args:
        pseudonym: As typed, in any case.
        prefix: Prefix of the pseudonyms.
    """
    body = pseudonym.strip().upper().removeprefix(prefix.upper())
    if len(body) != _CHARACTERS + 1 or not set(body) <= set(_ALPHABET):
        return False
    return _check_character(body[:-1]) == body[-1]


def _pseudonym(key: bytes, kind: str, value: str) -> str:
    # The kind keeps equal patient IDs and accession numbers from getting the same pseudonym.
    digest = hmac.digest(key, f"{kind}\0{value.strip()}".encode("utf-8", "surrogateescape"), hashlib.sha256)
    number = int.from_bytes(digest)
    body = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_CHARACTERS))
    return body + _check_character(body)


def _check_character(body: str) -> str:
    """Return the check character of a pseudonym.

    It is the sum of the characters, weighted with powers of the field's generator.
    """
    total = 0
    for character in body:
        total = (total ^ _ALPHABET.index(character)) << 1
        total ^= _FIELD * (total >> 5)
    return _ALPHABET[total]


def _person(row: Row) -> PatientIdentity:
    return PatientIdentity(row.new_id, row.new_name, row.new_id, row.days, row.anchor)


def _checked(prefix: str) -> str:
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ConfigError(
            "prefix must have 1 to 32 letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    return prefix
