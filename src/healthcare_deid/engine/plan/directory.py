"""The Basic Profile adapted to a DICOMDIR."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.rules import Op

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

# StudyDate, StudyTime, PatientID, StudyID: Type 1 in directory records (PS3.3 section F.5).
_KEYS = frozenset({0x00080020, 0x00080030, 0x00100020, 0x00200010})
# StudyDescription: Type 2 in study records (PS3.3 table F.5-2).
_STUDY_DESCRIPTION = 0x00081030


def directory_plan(plan: TagPlan) -> TagPlan:
    """Return the Basic Profile for a DICOMDIR.

    Required keys of directory records are replaced or emptied, not removed.
    """
    if not plan.method_codes:
        return plan
    tags = dict(plan.tags)
    for tag, rule in plan.tags.items():
        if tag in _KEYS and rule.op in (Op.EMPTY, Op.DELETE):
            tags[tag] = rule._replace(op=Op.DUMMY)
        elif tag == _STUDY_DESCRIPTION and rule.op is Op.DELETE:
            tags[tag] = rule._replace(op=Op.EMPTY)
    return replace(plan, tags=tags)
