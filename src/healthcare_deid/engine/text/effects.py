"""Effects of a text plan that a result tells of: dates that were changed, and identifiers that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.profiles import PATIENT_ID
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.text.apply.transformations import DateShift

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tags import TagPlan
    from healthcare_deid.engine.text.engine import TextEngine

_IDS_STAY = (
    "PatientID, AccessionNumber and the like stay as they are: MEDICAL_RECORD_NUMBER is none of the infoTypes that are "
    "looked for in tags by default; a transformation that names it changes them"
)
_UNKNOWN_STAYS = (
    "private elements whose VR neither the file nor the dictionary says are not looked into, and names in them stay: a "
    "profile that removes private elements, or an action for VR UN, takes them away"
)
_NESTED_STAYS = "sequences were not looked into, names and numbers in them stay: nested=False was asked for"
_A_PRIVATE_TAG = 0x00091001


def what_stays(plan: TagPlan, text: TextEngine | None) -> tuple[str, ...]:
    """Return a warning for each thing that a plan leaves, and that one would not expect it to leave.

    Args:
        plan: The plan.
        text: The text engine (`TextEngine`); None where the plan inspects no text.
    """
    found: list[str] = [] if plan.nested else [_NESTED_STAYS]
    if text is not None and plan.rule(PATIENT_ID, "LO").op is Op.TEXT:
        found += [_UNKNOWN_STAYS] if plan.rule(_A_PRIVATE_TAG, "UN").op is Op.KEEP else []
        found += [_IDS_STAY] if text.decide("MEDICAL_RECORD_NUMBER").transformation is None else []
    return tuple(found)


def inspected_dates(text: TextEngine | None) -> str:
    """Return what becomes of dates that are inspected as text, in the words of (0028,0303); nothing where they stay."""
    if text is None:
        return ""
    transformation = text.decide("DATE").transformation
    return "" if transformation is None else "MODIFIED" if isinstance(transformation, DateShift) else "REMOVED"
