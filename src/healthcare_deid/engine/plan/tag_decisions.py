"""Tag plan: the compiled decision about each data element.

A config compiles into one `TagPlan`. `TagPlan.rule` answers for a tag, its VR and its private creator. Answers are
cached, so an executor pays one dictionary look-up per element.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from healthcare_deid.engine.dicom.elements import is_private_creator, known_vr
from healthcare_deid.engine.dicom.encoding import TRAILING_PADDING
from healthcare_deid.engine.dicom.uids import CLASS_TAGS, PRIMARY_UIDS, REFERENCE_TAGS
from healthcare_deid.engine.plan.private_creators import PrivateCreators
from healthcare_deid.engine.plan.rules import (
    BINARY_VRS,
    CHECKED_VRS,
    CODE_TAGS,
    DATE_VRS,
    DROPPING,
    FREE_TEXT_VRS,
    KEPT,
    OF_VALUES,
    STRING_VRS,
    TEXT_VRS,
    Inside,
    Op,
    Override,
    Rule,
    TagPattern,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


_RECURSED = Rule(Op.RECURSE, "")
_CHECKED = Rule(Op.CHECK, "malformed-value")
# Rule for an element whose VR is not one of its attribute, because it may hold anything.
_WRONG_VR = Rule(Op.EMPTY, "wrong-vr")
_CHARACTER_SET = 0x00080005
_PIXELS = 0x7FE0
# Pixel data under another VR is no picture, and may hold anything (PS3.3 section C.7.6.3.1.4, C.7.6.24).
_PIXEL_VRS = {0x7FE00008: ("OF",), 0x7FE00009: ("OD",), 0x7FE00010: ("OB", "OW")}
_FIRST_OF_DATASET = 0x00040000
# Rule for elements of groups 0000 and 0002 in a dataset, where they are not allowed (PS3.10 section 7.1).
_STRAY_META = Rule(Op.DELETE, "file-meta")
_GROUP_LENGTH = Rule(Op.DELETE, "group-length")
_TRAILING_PADDING = Rule(Op.DELETE, "trailing-padding")
_CLASS_UID = Rule(Op.CHECK, "uid:class")
_SIGNATURE = Rule(Op.DELETE, "signature")
# Digital signatures, MACs and their parameters, for the instance, an item or another instance (PS3.15 annex C). They no
# longer match the changed data, and a certificate names the signer.
_SIGNATURES = frozenset({0x04000402, 0x04000403, 0x4FFE0001, 0xFFFAFFFA})
_OWN_UID = Rule(Op.OWN_UID, "uid:own")
_SHIFTED = Rule(Op.SHIFT, "dates")
_STAYING = frozenset({Op.KEEP, Op.CHECK, Op.TEXT, Op.OWN_UID})
_FRESH_UID = Rule(Op.UID, "uid")
_REFERENCE = Rule(Op.UID, "uid:reference")
_PRIMARY = Rule(Op.UID, "uid:primary")
_DUMMY_TEXT = Rule(Op.DUMMY, "dummy-sequence")
_CLEANED_TEXT = Rule(Op.TEXT, "cleaned-sequence")
_DUMMY_DELETE = Rule(Op.DELETE, "dummy-sequence")
_DUMMY_VRS = frozenset({"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"})
_UID_VRS = frozenset({"UI", "UR"})
_UNREAD_VRS = BINARY_VRS | {"UN"}


@dataclass(frozen=True)
class UidPolicy:
    """Treatment of UIDs that the profile does not name.

    Attributes:
        primary: Regenerate study, series and instance UIDs.
        others: Regenerate all other UIDs too, except those of classes and of the standard itself.
        own: Regenerate every UID that equals one of the instance's own, in any element.
        references: Regenerate references along with the primary UIDs; False keeps the original UIDs in references.
    """

    primary: bool = True
    others: bool = False
    own: bool = True
    references: bool = True


@dataclass
class TagPlan:
    """Plan for tags.

    Attributes:
        name: Name of the profile or list.
        default: Rule for other standard elements.
        private: Rule for other private elements.
        unknown: Rule for elements of even groups that the dictionary lacks; None treats them like others.
        tags: Rules by tag.
        patterns: Rules by repeating group (50xx, 60xx).
        vrs: Rules by VR; rules by tag override them.
        private_tags: Rules for single private elements, by creator, group and last two digits of the element.
        top_tags: Rules by tag for the top level and cleaned sequences; they override ``tags``.
        valued: Elements that must keep a value when they are cleaned, at least a placeholder.
        written: Reasons by top-level tag of elements that the engine writes itself; they override everything else.
        rewritten: Reasons by tag of elements that get the project's own value, at every level.
        rewritten_vrs: The same by VR; ``rewritten`` overrides it.
        shifts_dates: Whether every date that would be kept is shifted, including dates in text.
        nested: Whether the rules apply inside sequences; otherwise only UIDs are replaced there.
        uids: Treatment of UIDs.
        overrides: Actions, in the order given; they override everything above.
        method: Texts for ``DeidentificationMethod``.
        method_codes: Codes of PS3.16 CID 7050 for ``DeidentificationMethodCodeSequence``.
        removes_identity: Whether the plan claims that the patient's identity is removed from the header.
        unclaimed: Why the plan does not claim it although its profile would, with the remedy; empty otherwise.
    """

    name: str
    default: Rule = KEPT
    private: Rule = KEPT
    unknown: Rule | None = None
    tags: Mapping[int, Rule] = field(default_factory=dict[int, Rule])
    patterns: tuple[TagPattern, ...] = ()
    vrs: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    private_tags: Mapping[tuple[str, int, int], Rule] = field(default_factory=dict[tuple[str, int, int], Rule])
    top_tags: Mapping[int, Rule] = field(default_factory=dict[int, Rule])
    valued: frozenset[int] = frozenset()
    written: Mapping[int, str] = field(default_factory=dict[int, str])
    rewritten: Mapping[int, str] = field(default_factory=dict[int, str])
    rewritten_vrs: Mapping[str, str] = field(default_factory=dict[str, str])
    shifts_dates: bool = False
    nested: bool = True
    uids: UidPolicy = field(default_factory=UidPolicy)
    overrides: tuple[Override, ...] = ()
    method: tuple[str, ...] = ()
    method_codes: tuple[str, ...] = ()
    removes_identity: bool = False
    unclaimed: str = ""

    def __post_init__(self) -> None:
        # A header repeats a few hundred tags, so nearly every answer comes from here.
        self._memo: dict[tuple[int, str, str, Inside], Rule] = {}
        self._creators = PrivateCreators(self.private, self.tags, self.private_tags, self.overrides)
        self._checks = bool(self._ops() - {Op.KEEP, Op.RECURSE})

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_memo"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._memo = {}

    @property
    def checks(self) -> bool:
        """Whether kept values are checked.

        A plan that keeps everything does not check them.
        """
        return self._checks

    @property
    def inspects_text(self) -> bool:
        """Whether any rule needs the text engine."""
        return self.cleans_text or self.has_shifts

    @property
    def cleans_text(self) -> bool:
        """Whether any rule keeps text and transforms only the findings in it."""
        return Op.TEXT in self._ops()

    @property
    def has_shifts(self) -> bool:
        """Whether any rule shifts dates.

        Findings in text do not count.
        """
        return self.shifts_dates or Op.SHIFT in self._ops()

    def weighs_creator(self, tag: int) -> bool:
        """Return whether a private element's creator, or this creator, stays only if an element of its block does."""
        return self._creators.weighs(tag)

    def empty_block(self, tag: int, around: Inside) -> Rule | None:
        """Return the rule for a private creator none of whose elements stays; None if it stays all the same."""
        reached = around is Inside.TOP or self.nested
        return self._creators.empty_block(tag) if reached else None

    def _ops(self) -> set[Op]:
        rules = [self.default, self.private, *self.tags.values(), *self.vrs.values(), *self.private_tags.values()]
        ops = {rule.op for rule in rules} | {pattern.rule.op for pattern in self.patterns}
        return ops | {action.op for action in self.overrides}

    def rule(self, tag: int, vr: str, creator: str = "", around: Inside = Inside.TOP) -> Rule:
        """Return the rule for a data element.

        Args:
            tag: Its tag.
            vr: Its VR; for an element written as UN, the dictionary's.
            creator: Private creator of its block, for private elements.
            around: Kind of sequence around it.
        """
        key = (tag, vr, creator, around)
        found = self._memo.get(key)
        if found is None:
            found = self._fit(self._resolve(tag, vr, creator, around), tag, vr)
            if tag == _CHARACTER_SET and vr != "CS" and self._checks and found.op not in DROPPING:
                found = _WRONG_VR  # readers fail at a number there, and at other text than names of sets
            # Action C of PS3.15 cleans all text of the sequence, whether the table lists the attribute or not.
            if around is Inside.CLEANED and found == KEPT and vr in TEXT_VRS and tag not in CODE_TAGS:
                found = _CLEANED_TEXT
            if self.shifts_dates:
                found = self._shifted(found, tag, vr)
            if found == KEPT and vr in CHECKED_VRS:
                found = self._looked_at(tag, vr)
            asked = self.rewritten.get(tag) or self.rewritten_vrs.get(vr)
            if around is Inside.DUMMY and found.op not in DROPPING:
                found = _in_dummy(found, tag, vr)
            elif asked and vr in STRING_VRS and not (around is Inside.TOP and tag in self.written):
                found = Rule(Op.REWRITE, asked, found)
            self._memo[key] = found
        return found

    def _shifted(self, found: Rule, tag: int, vr: str) -> Rule:
        """Return the rule of an element whose dates must not stay."""
        if found.op not in _STAYING or tag in CODE_TAGS or is_private_creator(tag):
            return found
        if vr in DATE_VRS or (vr in FREE_TEXT_VRS and found.op is not Op.TEXT):
            return _SHIFTED
        return found

    def _looked_at(self, tag: int, vr: str) -> Rule:
        """Return the rule of a kept element.

        Invalid values and UIDs in text must not stay.
        """
        if tag >> 16 == _PIXELS:
            return _WRONG_VR if self._checks and vr not in _PIXEL_VRS.get(tag, (vr,)) else KEPT
        if is_private_creator(tag) and vr == "LO":
            return KEPT
        if self._checks:
            removes = self.default.op in DROPPING or self.unknown is not None
            return _WRONG_VR if removes and vr in TEXT_VRS and _is_no_text(tag) else _CHECKED
        return _OWN_UID if (vr in FREE_TEXT_VRS or vr == "UR") and self.uids.primary and self.uids.own else KEPT

    def _resolve(self, tag: int, vr: str, creator: str, around: Inside) -> Rule:
        structural = self._structural(tag, around)
        if structural is not None:
            return structural
        if not (around is Inside.TOP or self.nested):
            return self._kept_uid(tag, vr, KEPT) if vr in _UID_VRS else KEPT
        acted = self._act(tag, vr)
        if acted is not None:
            return acted
        if tag >> 16 & 1:
            return self._private_rule(tag, vr, creator)
        found = self.top_tags.get(tag) if around is not Inside.NOTHING else None
        if found is None:
            found = self.tags.get(tag)
        if found is None:
            found = next((entry.rule for entry in self.patterns if tag & entry.mask == entry.value), None)
        if found is None and self.unknown is not None and keyword_for_tag(tag) == "":
            return self.unknown
        if found is None:
            found = self.vrs.get(vr) or self.vrs.get(known_vr(tag), self.default)
        return self._kept_uid(tag, vr, found) if vr in _UID_VRS and found.op in (Op.KEEP, Op.TEXT) else found

    def _structural(self, tag: int, around: Inside) -> Rule | None:
        """Return the rule of an element about encoding, file or de-identification itself."""
        # Group lengths are retired (PS3.5 section 7.2), and would be wrong after any change.
        if not tag & 0xFFFF:
            return _GROUP_LENGTH
        if tag < _FIRST_OF_DATASET:
            return _STRAY_META
        if tag == TRAILING_PADDING and (self.removes_identity or self.cleans_text):
            return _TRAILING_PADDING if self.removes_identity else _TRAILING_PADDING._replace(op=Op.EMPTY)
        if around is Inside.TOP and tag in self.written:
            return Rule(Op.DELETE, self.written[tag])
        if tag in _SIGNATURES and not any(tag in action.tags for action in self.overrides):
            return _SIGNATURE
        return None

    def _act(self, tag: int, vr: str) -> Rule | None:
        """Apply the actions in order.

        None brings back what an earlier one removed.
        """
        current: Rule | None = None
        for action in self.overrides:
            if not action.names(tag, vr):
                continue
            rule = Rule(action.op, action.reason)
            if current is None or current.op in (Op.KEEP, Op.RECURSE):
                if current is None or rule.op != Op.KEEP:
                    current = rule
            elif rule.op in DROPPING or rule.op == Op.DUMMY:
                current = rule if current.op != Op.DELETE else current
        return current

    def _private_rule(self, tag: int, vr: str, creator: str) -> Rule:
        group, element = tag >> 16, tag & 0xFFFF
        if is_private_creator(tag) and vr == "LO" and tag not in self.tags:
            # An element is unreadable without its creator. The executors drop the creators of blocks left empty.
            if self.private.op in DROPPING and not self._creators.may_stay(tag, creator):
                return self.private
            return self.vrs.get(vr, KEPT) if self.private.op == Op.KEEP else KEPT
        found = self.tags.get(tag)
        if found is None and (creator, group, element & 0xFF) in self.private_tags:
            # A safe private element may still be a name, date or text, so the rule for its VR comes first.
            found = self.vrs.get(vr, self.private_tags[creator, group, element & 0xFF])
        if found is None:
            found = self.vrs.get(vr, self.private) if self.private.op == Op.KEEP else self.private
        return self._kept_uid(tag, vr, found) if vr in _UID_VRS and found.op in (Op.KEEP, Op.TEXT) else found

    def _kept_uid(self, tag: int, vr: str, found: Rule) -> Rule:
        """Decide about a kept UID or URL.

        A URL may contain UIDs of the instance.
        """
        if tag in CLASS_TAGS:
            return _CLASS_UID if self.uids.primary and self.uids.own else KEPT
        if tag in PRIMARY_UIDS:
            return _PRIMARY if self.uids.primary else KEPT
        if tag in REFERENCE_TAGS:
            return _REFERENCE if self.uids.primary and self.uids.references else KEPT
        if vr == "UR":
            return found
        if self.uids.others:
            return _FRESH_UID
        return _OWN_UID if self.uids.primary and self.uids.own else found

    @staticmethod
    def _fit(rule: Rule, tag: int, vr: str) -> Rule:
        """Adapt a rule to the VR.

        Sequences are entered, and values that cannot be cleaned are emptied.
        """
        op = rule.op
        if vr == "SQ":
            if op == Op.KEEP and not rule.reason:
                return _RECURSED
            if op in OF_VALUES:
                return Rule(Op.RECURSE, rule.reason)
            return rule
        if op == Op.RECURSE:
            return KEPT
        if op == Op.TEXT and vr not in TEXT_VRS:
            return Rule(Op.EMPTY, rule.reason)
        if op == Op.SHIFT and vr not in ("DA", "DT"):
            return KEPT if vr == "TM" else Rule(Op.EMPTY, rule.reason)
        if op == Op.UID:
            if vr != "UI":
                return Rule(Op.EMPTY, rule.reason)
            return KEPT if tag in CLASS_TAGS else rule
        return rule


def _is_no_text(tag: int) -> bool:
    known = known_vr(tag)
    return known not in STRING_VRS and known != "UN"


def _in_dummy(rule: Rule, tag: int, vr: str) -> Rule:
    """Return the rule for an element of a sequence replaced by placeholders."""
    if vr == "SQ":
        return Rule(Op.DUMMY, _DUMMY_TEXT.reason)
    if rule.op is Op.SHIFT:
        return rule
    if tag >> 16 & 1 or vr in _UNREAD_VRS:
        return _DUMMY_DELETE
    if vr in _DUMMY_VRS:
        return _DUMMY_TEXT
    if vr == "UI" and tag not in CLASS_TAGS:
        return Rule(Op.UID, _DUMMY_TEXT.reason)
    return rule
