"""What an element's first bytes say: worked out once a plan, and looked up by those bytes afterwards."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from healthcare_deid.engine.tags.elements import creator_tag, effective_vr
from healthcare_deid.engine.tags.plan import NUMBER_BYTES, Inside, Op, Plan, Rule

LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
UNDEFINED = 0xFFFFFFFF
SPECIFIC_CHARACTER_SET = 0x00080005
LAST_CREATOR = 0xFF
_MAX_PRIVATE = 100_000
_TAG = Struct("<HH")


class UseDatasetExecutor(Exception):  # noqa: N818 - a change of way, not an error
    """The data is not in a form this executor rewrites."""


class Entry(NamedTuple):
    """What an element's first bytes say: everything that does not depend on its value."""

    op: Op
    header: int
    tag: int
    vr: str
    rule: Rule
    simple: int = 0
    """For short explicit elements. 1: kept. 2: deleted. 3: kept if it holds no NUL. 4 + n: kept if it is n bytes long.
    0: everything else."""


class Tables:
    """What one plan makes of elements' first bytes; shared by all instances.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._entries: dict[tuple[bool, Inside], dict[bytes, Entry]] = {}
        self._private: dict[tuple[bytes, str, bool, Inside], Entry] = {}

    def entries(self, *, explicit: bool, around: Inside) -> dict[bytes, Entry]:
        """Return the memo of entries by tag and VR (explicit) or tag (implicit) as written."""
        return self._entries.setdefault((explicit, around), {})

    def entry(self, head: bytes, creators: dict[int, str], *, explicit: bool, around: Inside = Inside.NOTHING) -> Entry:
        """Work an entry out, and remember it: with its private creator where that makes a difference.

        Raises:
            UseDatasetExecutor: The VR is none this executor knows.
        """
        group, element = _TAG.unpack_from(head)
        if not group & 1:
            entry = self._entry(group << 16 | element, head, "", explicit=explicit, around=around)
            self.entries(explicit=explicit, around=around)[head] = entry
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
            self.entries(explicit=explicit, around=around)[head] = entry
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
        simple = 0
        if explicit and header == 8 and tag != SPECIFIC_CHARACTER_SET:
            simple = _simple(rule.op, vr)
        return Entry(rule.op, header, tag, vr, rule, simple)


def _simple(op: Op, vr: str) -> int:
    if op is Op.CHECK:
        return 4 + NUMBER_BYTES[vr] if vr in NUMBER_BYTES else 0 if vr == "UI" else 3
    return 1 if op is Op.KEEP else 2 if op is Op.DELETE else 0
