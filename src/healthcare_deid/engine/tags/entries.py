"""What an element's first bytes say: worked out once a plan, and looked up by those bytes afterwards."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from healthcare_deid.engine.tags.elements import creator_tag, effective_vr
from healthcare_deid.engine.tags.plan import NUMBER_BYTES, Inside, Op, Plan, Rule
from healthcare_deid.engine.tags.values import DUMMIES

LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
UNDEFINED = 0xFFFFFFFF
SPECIFIC_CHARACTER_SET = 0x00080005
LAST_CREATOR = 0xFF
_ALWAYS_READ = frozenset({SPECIFIC_CHARACTER_SET})
_MAX_PRIVATE = 100_000
_MAX_STEPS = 50_000
_MAX_SHORT = 0xFFFE
_SHORT_PREFIX = 6
_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")


class UseDatasetExecutor(Exception):  # noqa: N818 - a change of way, not an error
    """The data is not in a form this executor rewrites."""


class Kind(IntEnum):
    """How much tag, VR and length say about an element."""

    OPEN = 0
    """Not enough: its value counts, or what stands around it."""
    KEPT = 1
    """It stays."""
    SOUND = 2
    """It stays if there is no NUL in it; otherwise its value counts."""
    REPLACED = 3
    """The same bytes always stand in its place, or none."""
    INSPECTED = 4
    """Its text is inspected: what became of the same bytes before is remembered for a while."""


class Record(NamedTuple):
    """A change: what to, why, and the length of the old value."""

    entry: Entry
    reason: str
    length: int


class Entry(NamedTuple):
    """What an element's first bytes say: everything that depends on neither its length nor its value."""

    op: Op
    header: int
    tag: int
    vr: str
    rule: Rule
    prefix: bytes
    """Tag and VR as they are written in front of a new value."""

    def encoded(self, value: bytes) -> bytes:
        """Return the element with a new value.

        Raises:
            UseDatasetExecutor: The value is too long for the VR.
        """
        return _encoded(self.prefix, value)


class Step(NamedTuple):
    """What tag, VR and length say, where they say enough: the way through most of a header."""

    size: int
    tag: int
    kind: Kind
    new: bytes
    """What stands in the place of an element that is replaced."""
    record: Record
    """Of an element that is replaced."""


class Tables:
    """What one plan makes of elements' first bytes; shared by all instances.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._entries: dict[tuple[bool, Inside], dict[bytes, Entry]] = {}
        self._steps: dict[tuple[bool, Inside], dict[bytes, Step]] = {}
        self._private: dict[tuple[bytes, str, bool, Inside], Entry] = {}

    def steps(self, *, explicit: bool, around: Inside) -> dict[bytes, Step]:
        """Return the memo of steps by an element's first eight bytes."""
        return self._steps.setdefault((explicit, around), {})

    def learn(self, head: bytes, entry: Entry, length: int, *, explicit: bool, around: Inside) -> None:
        """Remember the step of elements that begin with these eight bytes, if there is one."""
        written = head[:6] if explicit else head[:4]
        if entry.header != 8 or self._entries[explicit, around].get(written) is not entry:
            return  # a long form, or the private creator matters
        kind = _kind(entry, length)
        if kind is Kind.OPEN:
            return
        steps = self.steps(explicit=explicit, around=around)
        if len(steps) > _MAX_STEPS:
            steps.clear()
        new = b""
        if kind is Kind.REPLACED and entry.op is not Op.DELETE:
            new = entry.encoded(b"" if entry.op is Op.EMPTY else DUMMIES.get(entry.vr, b""))
        steps[head] = Step(8 + length, entry.tag, kind, new, Record(entry, entry.rule.reason, length))

    def entry(self, head: bytes, creators: dict[int, str], *, explicit: bool, around: Inside = Inside.TOP) -> Entry:
        """Work an entry out, and remember it: with its private creator where that makes a difference.

        Raises:
            UseDatasetExecutor: The VR is none this executor knows.
        """
        entries = self._entries.setdefault((explicit, around), {})
        known = entries.get(head)
        if known is not None:
            return known
        group, element = _TAG.unpack_from(head)
        if not group & 1:
            entry = entries[head] = self._entry(group << 16 | element, head, "", explicit=explicit, around=around)
            return entry
        tag = group << 16 | element
        creator = creators.get(creator_tag(tag) if element > LAST_CREATOR else tag, "")
        key = (head, creator, explicit, around)
        known = self._private.get(key)
        if known is not None:
            return known
        if len(self._private) > _MAX_PRIVATE:
            self._private.clear()
        entry = self._private[key] = self._entry(tag, head, creator, explicit=explicit, around=around)
        creator_matters = self.plan.private_tags or not explicit or head[4:6] == b"UN"
        if not creator_matters and element > LAST_CREATOR:  # creators themselves must be seen, each time
            entries[head] = entry
        return entry

    def _entry(self, tag: int, head: bytes, creator: str, *, explicit: bool, around: Inside) -> Entry:
        written = ""
        header = 8
        if explicit:
            code = head[4:6]
            if code in LONG_VRS:
                header = 12
            elif code not in _SHORT_VRS:
                raise UseDatasetExecutor
            written = code.decode("ascii")
        vr = effective_vr(tag, written, lambda: creator)
        rule = self.plan.rule(tag, vr, creator, around)
        return Entry(rule.op, header, tag, vr, rule, prefix(tag, vr if explicit else ""))


def prefix(tag: int, vr: str) -> bytes:
    """Return what is written in front of an element's length; without a VR, as implicit."""
    code = vr.encode("ascii")
    return _TAG.pack(tag >> 16, tag & 0xFFFF) + (code + b"\0\0" if code in LONG_VRS else code)


def encoded(tag: int, vr: str, value: bytes) -> bytes:
    """Return an element in explicit VR.

    Raises:
        UseDatasetExecutor: The value is too long for the VR.
    """
    return _encoded(prefix(tag, vr), value)


def _encoded(before: bytes, value: bytes) -> bytes:
    if len(before) != _SHORT_PREFIX:
        return before + _U32.pack(len(value)) + value
    if len(value) > _MAX_SHORT:
        raise UseDatasetExecutor
    return before + _U16.pack(len(value)) + value


def _kind(entry: Entry, length: int) -> Kind:
    """Return how much an element's length adds to what its tag and VR say."""
    op, vr = entry.op, entry.vr
    if length == UNDEFINED or vr == "SQ" or entry.tag in _ALWAYS_READ:
        return Kind.OPEN
    if op is Op.KEEP or (op is Op.EMPTY and not length):
        return Kind.KEPT
    if op in (Op.TEXT, Op.SHIFT):
        return Kind.INSPECTED
    if op in (Op.DELETE, Op.EMPTY):
        return Kind.REPLACED
    if op is Op.DUMMY and vr != "UI" and length != len(DUMMIES.get(vr, b"")):
        return Kind.REPLACED
    if op is Op.CHECK and vr in NUMBER_BYTES:
        return Kind.KEPT if length == NUMBER_BYTES[vr] else Kind.OPEN
    return Kind.SOUND if op is Op.CHECK and vr != "UI" else Kind.OPEN
