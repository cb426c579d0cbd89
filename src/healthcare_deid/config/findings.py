"""Findings: what a check has to say, with a code to look up, a place, and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """The service refuses it, or the result is not de-identified as the config says."""
    WARNING = "warning"
    """It is carried out, and the result is probably not what was meant."""
    INFO = "info"
    """It is carried out as it stands; a person may be surprised."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before an operation starts. It holds no key and no data.

    Attributes:
        code: A stable name, documented in the guide to the checks, such as ``"key-missing"``.
        severity: How bad it is.
        path: Where, as a JSON path: ``text.additionalTransformations[2].dateShiftConfig``. Empty: the whole.
        message: What is the matter.
        remedy: What to do.
    """

    code: str
    severity: Severity
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f" at {self.path}" if self.path else ""
        return f"{self.severity} {self.code}{place}: {self.message} {self.remedy}".rstrip()
