"""De-identification markers in a result (PS3.15 section E.1.1).

They are claims, so each is computed from what was done to the instance. The code of an option says that it was carried
out, not that it was requested.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

from healthcare_deid._version import __version__
from healthcare_deid.engine.plan.ps315 import METHOD_CODES, ProfileOption
from healthcare_deid.engine.plan.rules import GOING, Op
from healthcare_deid.engine.results import Change, ChangeAction

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

IDENTITY_REMOVED = 0x00120062
METHOD = 0x00120063
METHOD_CODE_SEQUENCE = 0x00120064
BURNED_IN_ANNOTATION = 0x00280301
LONGITUDINAL_DATES = 0x00280303
EARLIER = frozenset({METHOD, METHOD_CODE_SEQUENCE})
"""Markers of earlier steps, which are kept and extended."""
# DeidentificationMethod has VR LO (PS3.5 table 6.2-1).
_METHOD_CHARACTERS = 64
_CLEAN_PIXEL_DATA = "113101"
_SAFE_PRIVATE = METHOD_CODES[ProfileOption.RETAIN_SAFE_PRIVATE]
_FULL_DATES = METHOD_CODES[ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES]
DATES = {0x00080020: "DA", 0x00080021: "DA", 0x00080022: "DA", 0x00080023: "DA", 0x0008002A: "DT"}
"""Dates of study, series, acquisition and content. Their treatment decides LongitudinalTemporalInformationModified."""

CODE_MEANINGS = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
"""Code meanings of PS3.16 CID 7050."""


class MethodCode(NamedTuple):
    """An item of DeidentificationMethodCodeSequence."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class DeidentificationClaims:
    """Claims of an instance about its de-identification.

    Attributes:
        identity_removed: Whether PatientIdentityRemoved is YES; otherwise it is left out.
        methods: Lines of DeidentificationMethod, earlier ones first.
        codes: Items of DeidentificationMethodCodeSequence, earlier ones first.
        no_burned_in_text: Whether BurnedInAnnotation is NO.
        dates: LongitudinalTemporalInformationModified; empty if the dates differ.
    """

    identity_removed: bool
    methods: tuple[str, ...]
    codes: tuple[MethodCode, ...]
    no_burned_in_text: bool
    dates: str


@dataclass(frozen=True, slots=True)
class Done:
    """Outcome for one instance that its claims depend on.

    Attributes:
        identity_left: Whether the patient's identity was found in a kept value.
        private_kept: Whether private elements were kept.
        pixels_cleaned: Whether burned-in text was searched in the pictures, including the image itself.
        all_text_covered: Whether all burned-in text was covered.
        date_operations: Operations on dates that were not removed.
        earlier_methods: Lines of an earlier step.
        earlier_codes: Codes of an earlier step.
    """

    identity_left: bool = False
    private_kept: bool = False
    pixels_cleaned: bool = False
    all_text_covered: bool = False
    date_operations: frozenset[Op] = frozenset()
    earlier_methods: tuple[str, ...] = ()
    earlier_codes: tuple[MethodCode, ...] = ()


class Claimant:
    """Computes the claims of instances under one plan.

    Args:
        plan: The plan.
        inspected_dates: Result of inspecting dates as text: ``"MODIFIED"``, ``"REMOVED"``, or empty if mixed.
        covers_all_text: Whether all burned-in text is covered.
    """

    def __init__(self, plan: TagPlan, *, inspected_dates: str = "", covers_all_text: bool = False) -> None:
        self._plan = plan
        self._inspected = inspected_dates
        self._drops_dates = all(plan.rule(tag, vr).op in GOING for tag, vr in DATES.items())
        operations = {plan.rule(tag, vr).op for tag, vr in DATES.items()}
        says_dates = (operations <= GOING or operations == {Op.SHIFT}) or (operations == {Op.TEXT} and inspected_dates)
        self.tags = frozenset(
            {IDENTITY_REMOVED, METHOD, METHOD_CODE_SEQUENCE}
            | ({BURNED_IN_ANNOTATION} if covers_all_text else set())
            | ({LONGITUDINAL_DATES} if says_dates or _FULL_DATES in plan.method_codes else set())
        )
        """Tags of the input that the new markers replace."""

    def claims(self, done: Done) -> DeidentificationClaims:
        """Return the claims that an instance may make."""
        plan = self._plan
        lines = [f"healthcare-deid {__version__}", *plan.method]
        # These codes state what was done: the safe private option only if a private element was kept, and the clean
        # pixel data
        # option only if the pixels were searched.
        own = {*plan.method_codes} - {_SAFE_PRIVATE}
        if own and done.private_kept:
            own.add(_SAFE_PRIVATE)
        if own and done.pixels_cleaned:
            own.add(_CLEAN_PIXEL_DATA)
        codes = [MethodCode(code, "DCM", CODE_MEANINGS[code]) for code in sorted(own)]
        return DeidentificationClaims(
            identity_removed=plan.removes_identity and not done.identity_left,
            methods=tuple(dict.fromkeys([*done.earlier_methods, *(line[:_METHOD_CHARACTERS] for line in lines)])),
            codes=tuple(dict.fromkeys([*done.earlier_codes, *codes])),
            no_burned_in_text=BURNED_IN_ANNOTATION in self.tags and done.all_text_covered,
            dates=self._dates(done.date_operations) if LONGITUDINAL_DATES in self.tags else "",
        )

    def _dates(self, operations: frozenset[Op]) -> str:
        # The attribute has one value for all dates, so a mixed outcome is not stated.
        if operations & {Op.KEEP, Op.CHECK, Op.RECURSE}:
            only_kept = operations <= {Op.KEEP, Op.CHECK, Op.RECURSE}
            return "UNMODIFIED" if only_kept and _FULL_DATES in self._plan.method_codes else ""
        if Op.SHIFT in operations:
            return "MODIFIED" if Op.TEXT not in operations or self._inspected == "MODIFIED" else ""
        if Op.TEXT in operations:
            return self._inspected
        return "REMOVED" if self._drops_dates else ""


@lru_cache(maxsize=512)
def markers(claims: DeidentificationClaims) -> Dataset:
    """Return the marker elements for claims (PS3.3 section C.7.1.1).

    The dataset is cached and shared: copy it before changing it.
    """
    dataset = Dataset()
    if claims.identity_removed:
        dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = list(claims.methods)
    items: list[Dataset] = []
    for code in claims.codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
        items.append(item)
    if items:
        dataset.DeidentificationMethodCodeSequence = Sequence(items)
    if claims.no_burned_in_text:
        dataset.BurnedInAnnotation = "NO"
    if claims.dates:
        dataset.LongitudinalTemporalInformationModified = claims.dates
    return dataset


@lru_cache(maxsize=512)
def encoded_markers(claims: DeidentificationClaims, *, explicit: bool) -> dict[int, bytes]:
    """Return the marker elements by tag, encoded in little endian."""
    encoded: dict[int, bytes] = {}
    for element in markers(claims):
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, not explicit
        write_data_element(file, element)
        encoded[int(element.tag)] = file.getvalue()
    return encoded


def added(claims: DeidentificationClaims) -> list[Change]:
    """Return the changes that adding the markers means."""
    return [
        Change(f"{int(mark.tag):08X}", mark.keyword, mark.VR, ChangeAction.ADDED, "marker") for mark in markers(claims)
    ]
