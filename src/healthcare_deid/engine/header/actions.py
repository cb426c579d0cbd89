"""Names of operations in the record."""

from __future__ import annotations

from typing import assert_never

from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.results import ChangeAction

MALFORMED_REASON = "malformed-value"
"""A value that its VR cannot have was emptied."""
OWN_IDENTITY_REASON = "own-identity"
"""The instance's own names or numbers were erased where no rule looks for any."""
UID_IN_TEXT_REASON = "uid:text"
"""UIDs in text were replaced by their new ones."""
PSEUDONYM_REASON = "pseudonym"
"""An identifier was replaced by its pseudonym."""
SET_REASON = "set-value"
"""A value was set that the project gives."""
PATTERN_REASON = "replace"
"""A pattern in the value was rewritten."""
AGE_REASON = "age-cap"
"""An age of more than 90 years was written as 90."""
BIRTH_YEAR_REASON = "birth-year"
"""Of a date of birth, the shifted year is left."""
_BY_REASON = {
    **dict.fromkeys((PSEUDONYM_REASON, SET_REASON, AGE_REASON, BIRTH_YEAR_REASON), ChangeAction.REPLACED),
    PATTERN_REASON: ChangeAction.TRANSFORMED,
    MALFORMED_REASON: ChangeAction.EMPTIED,
    OWN_IDENTITY_REASON: ChangeAction.TRANSFORMED,
    UID_IN_TEXT_REASON: ChangeAction.REGENERATED,
}


def action_of(op: Op, reason: str) -> ChangeAction:
    """Return what was done to an element.

    Args:
        op: The plan's operation.
        reason: What asked for the change; some do whatever the operation is.
    """
    known = _BY_REASON.get(reason)
    if known is not None:
        return known
    match op:
        case Op.DELETE:
            return ChangeAction.REMOVED
        case Op.EMPTY | Op.CHECK | Op.KEEP | Op.RECURSE:
            return ChangeAction.EMPTIED
        case Op.DUMMY | Op.REWRITE:
            return ChangeAction.REPLACED
        case Op.UID | Op.OWN_UID:
            return ChangeAction.REGENERATED
        case Op.TEXT | Op.SHIFT:
            return ChangeAction.TRANSFORMED
        case _:
            assert_never(op)
