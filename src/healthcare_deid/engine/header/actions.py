"""What an operation is called in the record."""

from __future__ import annotations

from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.records import ChangeAction

ACTIONS = {
    Op.DELETE: ChangeAction.REMOVED,
    Op.EMPTY: ChangeAction.EMPTIED,
    Op.DUMMY: ChangeAction.REPLACED,
    Op.UID: ChangeAction.REGENERATED,
    Op.OWN_UID: ChangeAction.REGENERATED,
    Op.CHECK: ChangeAction.EMPTIED,
    Op.TEXT: ChangeAction.TRANSFORMED,
    Op.SHIFT: ChangeAction.TRANSFORMED,
}
