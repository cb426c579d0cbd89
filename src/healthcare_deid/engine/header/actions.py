"""Reasons of changes, and the change action that each stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.plan.rules import change_action
from healthcare_deid.engine.results import ChangeAction

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.rules import Op

MALFORMED_REASON = "malformed-value"
"""A value that is invalid for its VR was emptied."""
OWN_IDENTITY_REASON = "own-identity"
"""The instance's own names or numbers were erased from a value that no rule inspects."""
UID_IN_TEXT_REASON = "uid:text"
"""UIDs in text were replaced by the new ones."""
PSEUDONYM_REASON = "pseudonym"
"""An identifier was replaced by its pseudonym."""
SET_REASON = "set-value"
"""The project's own value was set."""
PATTERN_REASON = "replace"
"""A pattern in the value was rewritten."""
AGE_REASON = "age-cap"
"""An age above 90 years was set to 90."""
BIRTH_YEAR_REASON = "birth-year"
"""A date of birth was reduced to its shifted year."""
_BY_REASON = {
    **dict.fromkeys((PSEUDONYM_REASON, SET_REASON, AGE_REASON, BIRTH_YEAR_REASON), ChangeAction.REPLACED),
    PATTERN_REASON: ChangeAction.TRANSFORMED,
    MALFORMED_REASON: ChangeAction.EMPTIED,
    OWN_IDENTITY_REASON: ChangeAction.TRANSFORMED,
    UID_IN_TEXT_REASON: ChangeAction.REGENERATED,
}


def action_of(op: Op, reason: str) -> ChangeAction:
    """Return the change action of an operation.

    Args:
        op: The plan's operation.
        reason: Reason of the change. Some reasons stand for one action, whatever the operation is.
    """
    return _BY_REASON.get(reason) or change_action(op)
