"""Effects of a text plan on the result's warnings and claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.profiles import PATIENT_ID
from healthcare_deid.engine.plan.rules import Op
from healthcare_deid.engine.text.apply.transformations import DateShift

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tag_decisions import TagPlan
    from healthcare_deid.engine.text.engine import TextEngine

_IDS_STAY = (
    "PatientID, AccessionNumber and similar tags are kept: MEDICAL_RECORD_NUMBER is not among the default infoTypes "
    "for tags; add a transformation that names it"
)
_UNKNOWN_STAYS = (
    "private elements of unknown VR are not inspected, so names in them are kept: use a profile that removes private "
    "elements, or an action for VR UN"
)
_NESTED_STAYS = "sequences are not inspected because of nested=False, so names and numbers in them are kept"
# Stands for any private element.
_A_PRIVATE_TAG = 0x00091001


def what_stays(plan: TagPlan, text: TextEngine | None) -> tuple[str, ...]:
    """Return a warning for each thing that a plan keeps unexpectedly.

    Args:
        plan: The plan.
        text: The text engine; None if the plan inspects no text.
    """
    found: list[str] = [] if plan.nested else [_NESTED_STAYS]
    if plan.unclaimed:
        found.append(f"PatientIdentityRemoved is not written: {plan.unclaimed}")
    if text is not None and plan.rule(PATIENT_ID, "LO").op is Op.TEXT:
        found += [_UNKNOWN_STAYS] if plan.rule(_A_PRIVATE_TAG, "UN").op is Op.KEEP else []
        found += [_IDS_STAY] if text.decide("MEDICAL_RECORD_NUMBER").transformation is None else []
    return tuple(found)


def inspected_dates(text: TextEngine | None) -> str:
    """Return LongitudinalTemporalInformationModified (0028,0303) for inspected dates; empty if they are kept."""
    if text is None:
        return ""
    transformation = text.decide("DATE").transformation
    return "" if transformation is None else "MODIFIED" if isinstance(transformation, DateShift) else "REMOVED"
