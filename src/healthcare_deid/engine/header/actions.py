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
_BY_REASON = {
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
        case Op.DUMMY:
            return ChangeAction.REPLACED
        case Op.UID | Op.OWN_UID:
            return ChangeAction.REGENERATED
        case Op.TEXT | Op.SHIFT:
            return ChangeAction.TRANSFORMED
        case _:
            assert_never(op)
