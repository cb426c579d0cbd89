"""De-identification markers: what an instance says about what was done to it (PS3.15 section E.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

from healthcare_deid._version import __version__
from healthcare_deid.engine.plan.ps315 import METHOD_CODES, ProfileOption
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.records import Change, ChangeAction

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tags import TagPlan

REPLACED_TAGS = frozenset({0x00120062, 0x00120063, 0x00120064})
"""Elements that only ever say what was done last: an instance's own are replaced."""
_METHOD_CHARACTERS = 64
_DATES = {0x00080020: "DA", 0x00080021: "DA", 0x00080022: "DA", 0x00080023: "DA", 0x0008002A: "DT"}
"""Study, series, acquisition and content: what happens to these is said of the instance's dates."""

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


def markers(
    plan: TagPlan, *, pixels_cleaned: bool = False, all_text_covered: bool = False, inspected_dates: str = ""
) -> Dataset:
    """Return the elements that say an instance was de-identified, and how (PS3.3 section C.7.1.1).

    ``PatientIdentityRemoved`` is YES only for plans that claim it; a plan that keeps identifying tags says nothing.

    Args:
        plan: The plan that was applied.
        pixels_cleaned: Burned-in text was looked for.
        all_text_covered: All of it was covered.
        inspected_dates: What becomes of dates that are inspected as text: ``"MODIFIED"``, ``"REMOVED"``, or nothing.
    """
    dataset = Dataset()
    if plan.removes_identity:
        dataset.PatientIdentityRemoved = "YES"
    lines = [f"healthcare-deid {__version__}", *plan.method]
    dataset.DeidentificationMethod = [line[:_METHOD_CHARACTERS] for line in lines]
    codes = {*plan.method_codes, "113101"} if pixels_cleaned and plan.method_codes else {*plan.method_codes}
    items: list[Dataset] = []
    for code in sorted(codes):
        item = Dataset()
        item.CodeValue = code
        item.CodingSchemeDesignator = "DCM"
        item.CodeMeaning = CODE_MEANINGS[code]
        items.append(item)
    if items:
        dataset.DeidentificationMethodCodeSequence = Sequence(items)
    if all_text_covered:
        dataset.BurnedInAnnotation = "NO"
    if dates := _dates(plan, inspected_dates):
        dataset.LongitudinalTemporalInformationModified = dates
    return dataset


def _dates(plan: TagPlan, inspected: str) -> str:
    """Return what was done to dates (0028,0303); nothing where it differs from date to date.

    Where dates stay, an older statement of the instance about them stays too, unless the profile wants one made.
    """
    ops = {plan.rule(tag, vr).op for tag, vr in _DATES.items()}
    if ops <= {Op.DELETE, Op.EMPTY, Op.DUMMY}:
        return "REMOVED"
    if ops == {Op.SHIFT}:
        return "MODIFIED"
    if ops == {Op.TEXT}:
        return inspected
    kept_by_option = METHOD_CODES[ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES] in plan.method_codes
    return "UNMODIFIED" if kept_by_option and ops <= {Op.KEEP, Op.CHECK} else ""


def rewritten(marks: Dataset) -> frozenset[int]:
    """Return the elements of an instance that give way to markers; none where there are no markers."""
    return frozenset({*REPLACED_TAGS, *map(int, marks.keys())}) if len(marks) else frozenset()


def encoded_elements(dataset: Dataset, *, explicit: bool) -> list[tuple[int, bytes]]:
    """Return each element of a dataset, encoded in little endian."""
    encoded: list[tuple[int, bytes]] = []
    for element in dataset:
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, not explicit
        write_data_element(file, element)
        encoded.append((int(element.tag), file.getvalue()))
    return encoded


def added(dataset: Dataset) -> list[Change]:
    """Return the record of markers."""
    return [Change(f"{int(mark.tag):08X}", mark.keyword, mark.VR, ChangeAction.ADDED, "marker") for mark in dataset]
