"""Look-up tables from header bytes to decisions.

They are filled once per plan.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.elements import effective_vr, is_private_creator
from healthcare_deid.engine.dicom.encoding import LONG_VRS, SHORT_VRS, UNDEFINED, tag_at
from healthcare_deid.engine.header.dummies import dummy_of
from healthcare_deid.engine.header.fast.entries import (
    DecisionKind,
    ElementDecision,
    HeaderStep,
    Record,
    UseDatasetExecutor,
    creator_of,
    prefix,
)
from healthcare_deid.engine.header.fast.value_cache import Memo
from healthcare_deid.engine.header.soundness import FORMS
from healthcare_deid.engine.plan.rules import DATE_VRS, DROPPING, GOING, NUMBER_BYTES, Inside, Op

if TYPE_CHECKING:
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

SPECIFIC_CHARACTER_SET = 0x00080005
# Private creators are free text, so their number must be bounded.
_MAX_PRIVATE = 100_000
_MAX_STEPS = 50_000


class DecisionTables:
    """Look-up tables of one plan, shared by all instances.

    Args:
        plan: The plan.
        noted: Tags whose values are collected.
        searching: Whether every kept value is searched, so that no element is decided by its header alone.

    Attributes:
        memo: Cache for elements decided by their value, without inspected text.
    """

    def __init__(self, plan: TagPlan, noted: frozenset[int] = frozenset(), *, searching: bool = False) -> None:
        self.plan = plan
        self.noted = noted
        self.searching = searching
        self.memo = Memo()
        # Keyed by number, because hashing an enum member runs Python code and is slow.
        self._tables: dict[int, DecisionTable] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), searching=self.searching), (self.plan, self.noted)

    def table(self, *, explicit: bool, around: Inside) -> DecisionTable:
        """Return the table for one encoding and one kind of surrounding sequence."""
        number = 2 * around + explicit
        known = self._tables.get(number)
        if known is None:
            known = self._tables[number] = DecisionTable(number, self, explicit=explicit, around=around)
        return known


class DecisionTable:
    """Look-up table for one encoding and one kind of surrounding sequence.

    Args:
        number: Number of the table.
        tables: Tables of the plan.
        explicit: Whether the encoding is explicit VR.
        around: Kind of the surrounding sequence.

    Attributes:
        steps: Decisions by an element's first eight bytes, where these suffice.
    """

    def __init__(self, number: int, tables: DecisionTables, *, explicit: bool, around: Inside) -> None:
        self.number = number
        self.steps: dict[bytes, HeaderStep] = {}
        self._plan = tables.plan
        self._noted = tables.noted
        self._searching = tables.searching
        self._explicit = explicit
        self._around = around
        self._written = 6 if explicit else 4
        self._entries: dict[bytes, ElementDecision] = {}
        self._undecided: set[bytes] = set()
        self._private: dict[tuple[bytes, str], ElementDecision] = {}

    def entry(self, header: bytes, creators: dict[int, bytes]) -> ElementDecision:
        """Return the decision for a header.

        The header has at least eight bytes. The decision is computed once, or once for each private creator if that
        matters.

        Raises:
            UseDatasetExecutor: The VR is unknown.
        """
        head = header[: self._written]
        known = self._entries.get(head)
        if known is not None:
            return known
        tag = tag_at(head, 0)
        if not tag >> 16 & 1:
            entry = self._entries[head] = self._entry(tag, head, "")
            return entry
        creator = creator_of(tag, creators)
        known = self._private.get((head, creator))
        if known is not None:
            return known
        if len(self._private) > _MAX_PRIVATE:
            self._private.clear()
        entry = self._private[head, creator] = self._entry(tag, head, creator)
        creator_matters = self._plan.private_tags or not self._explicit or head[4:6] == b"UN"
        creator_matters = creator_matters or (bool(self._plan.method_codes) and entry.op not in DROPPING)
        if not creator_matters:
            self._entries[head] = entry
        return entry

    def is_fixed(self, header: bytes, entry: ElementDecision) -> bool:
        """Return whether a header always means this decision, whatever the private creator."""
        return self._entries.get(header[: self._written]) is entry

    def learn(self, head: bytes, entry: ElementDecision, length: int) -> None:
        """Cache the step for elements with this header, if there is one."""
        if head in self._undecided:
            return
        kind = DecisionKind.OPEN if entry.header != 8 or self._searching else _kind(entry, length)
        if len(self.steps) + len(self._undecided) > _MAX_STEPS:
            self.steps.clear()
            self._undecided.clear()
        if kind is DecisionKind.OPEN:
            self._undecided.add(head)
            return
        new = b""
        if kind is DecisionKind.REPLACED and entry.op is not Op.DELETE:
            new = entry.encoded(b"" if entry.op is Op.EMPTY else dummy_of(entry.tag, entry.vr))
        record = Record(entry, entry.rule.reason, length)
        self.steps[head] = HeaderStep(8 + length, entry.tag, kind, new, record, FORMS.get(entry.vr), self.notes(entry))

    def notes(self, entry: ElementDecision) -> bool:
        """Return whether an element's value is collected.

        The tag decides, and dates that are not removed are collected too.
        """
        return entry.tag in self._noted or (entry.vr in DATE_VRS and entry.op not in GOING)

    def _entry(self, tag: int, head: bytes, creator: str) -> ElementDecision:
        written = ""
        header = 8
        if self._explicit:
            code = head[4:6]
            if code in LONG_VRS:
                header = 12
            elif code not in SHORT_VRS:
                raise UseDatasetExecutor
            written = code.decode("ascii")
        vr = effective_vr(tag, written, lambda: creator)
        rule = self._plan.rule(tag, vr, creator, self._around)
        return ElementDecision(rule.op, header, tag, vr, rule, prefix(tag, vr if self._explicit else ""))


def _kind(entry: ElementDecision, length: int) -> DecisionKind:
    """Return how far tag, VR and length decide."""
    op, vr, tag = entry.op, entry.vr, entry.tag
    if length == UNDEFINED or vr == "SQ" or tag == SPECIFIC_CHARACTER_SET:
        return DecisionKind.OPEN
    if is_private_creator(tag) and vr == "LO":
        return DecisionKind.CREATOR if op in (Op.KEEP, Op.DELETE, Op.TEXT) else DecisionKind.OPEN
    match op:
        case Op.KEEP | Op.RECURSE:
            return DecisionKind.OPEN if vr == "UN" and length else DecisionKind.KEPT  # VR UN may hide a sequence
        case Op.DELETE:
            return DecisionKind.REPLACED
        case Op.EMPTY:
            return DecisionKind.REPLACED if length else DecisionKind.KEPT
        case Op.DUMMY:
            if vr == "UI":
                return DecisionKind.REMEMBERED
            return DecisionKind.REPLACED if length != len(dummy_of(tag, vr)) else DecisionKind.OPEN
        case Op.CHECK:
            if vr in NUMBER_BYTES:
                return DecisionKind.KEPT if length == NUMBER_BYTES[vr] else DecisionKind.OPEN
            return DecisionKind.SOUND if vr in FORMS else DecisionKind.REMEMBERED
        case Op.OWN_UID if vr == "UI":
            return DecisionKind.OPEN
        case _:
            return DecisionKind.REMEMBERED  # `Values` is asked, and refuses an operation that it does not know
