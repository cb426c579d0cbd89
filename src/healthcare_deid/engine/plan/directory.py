"""The Basic Profile as a DICOMDIR needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.tags import Op

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tags import TagPlan

_KEYS = frozenset({0x00080020, 0x00080030, 0x00100020, 0x00200010})
"""StudyDate, StudyTime, PatientID, StudyID: a record must have a value of them (PS3.3 section F.5, Type 1)."""
_STUDY_DESCRIPTION = 0x00081030
"""A study's record must have it, and it may be empty (PS3.3 table F.5-2, Type 2)."""


def directory_plan(plan: TagPlan) -> TagPlan:
    """Return the Basic Profile as a DICOMDIR needs it: what its records cannot be without is replaced or emptied."""
    if not plan.method_codes:
        return plan
    tags = dict(plan.tags)
    for tag, rule in plan.tags.items():
        if tag in _KEYS and rule.op in (Op.EMPTY, Op.DELETE):
            tags[tag] = rule._replace(op=Op.DUMMY)
        elif tag == _STUDY_DESCRIPTION and rule.op is Op.DELETE:
            tags[tag] = rule._replace(op=Op.EMPTY)
    return replace(plan, tags=tags)
