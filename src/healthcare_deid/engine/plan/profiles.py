"""Tag plans of the API's profiles and lists, shared by both versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.datadict import dictionary_VR

from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, tag_number
from healthcare_deid.config.v1.dicom import TagFilterProfile
from healthcare_deid.engine.dicom.elements import is_private, keyword
from healthcare_deid.engine.dicom.uids import PRIMARY_UIDS, REFERENCE_TAGS
from healthcare_deid.engine.plan.ps315 import BASIC_CODE, METHOD_CODES, ProfileOption, ProfileTable, identifying_tags
from healthcare_deid.engine.plan.rules import ENCAPSULATED_DOCUMENT, KEPT, TEXT_VRS, Op, Rule, TagPattern
from healthcare_deid.engine.plan.tag_decisions import TagPlan, UidPolicy
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from healthcare_deid.engine.options import Edition

SOP_CLASS_UID = 0x00080016
PATIENT_ID = 0x00100020
SPECIFIC_CHARACTER_SET = 0x00080005
_OVERLAY_DATA = TagPattern(0xFF01FFFF, 0x60003000, Rule(Op.DELETE, "removeList:OverlayData"))
CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT", "SQ"})

_SHOWN = 6
MINIMAL_TAGS = frozenset(tag_number(tag) for tag in MINIMAL_KEEP_TAGS)


def tags_and_patterns(tags: Iterable[str], place: str) -> tuple[frozenset[int], tuple[tuple[int, int], ...]]:
    """Return tags as numbers, and repeating groups as patterns.

    A pattern is mask and value, for a keyword such as ``OverlayData``.

    Raises:
        ConfigError: A text is neither a keyword nor a number.
    """
    numbers: set[int] = set()
    patterns: list[tuple[int, int]] = []
    for index, tag in enumerate(tags):
        try:
            repeating = _REPEATING.get(tag)
            if repeating is None:
                numbers.add(tag_number(tag))
            else:
                patterns.append(repeating)
        except ValueError as error:
            raise ConfigError.of("TagFilterList", [(f"{place}[{index}]", str(error))]) from None
    return frozenset(numbers), tuple(patterns)


def _repeating() -> dict[str, tuple[int, int]]:
    """Return the repeating elements by keyword (PS3.5 section 7.6).

    Each is mask and value, in groups 50xx and 60xx.
    """
    found: dict[str, tuple[int, int]] = {}
    for tag, row in RepeatersDictionary.items():
        if tag[:4] in ("50xx", "60xx"):
            found[row[4]] = (0xFF01FFFF, int(tag.replace("x", "0"), 16))
    return found


_REPEATING = _repeating()


def keep_plan(
    name: str,
    listed: frozenset[int],
    uids: UidPolicy,
    *,
    patterns: tuple[tuple[int, int], ...] = (),
    strict: bool = False,
) -> TagPlan:
    """Keep the listed tags and the minimal ones.

    Remove all others, including private ones.
    """
    kept = MINIMAL_TAGS | listed
    # The minimal set lacks SOPClassUID, without which readers refuse an instance.
    if not strict:
        kept |= {SOP_CLASS_UID}
    if any(needs_character_set(tag) for tag in listed):
        # Kept text cannot be decoded without it.
        kept |= {SPECIFIC_CHARACTER_SET}
    gone = Rule(Op.DELETE, name)
    # A kept element that the Basic Profile would change can identify, so nothing is claimed.
    may_identify = patterns or any(map(is_private, listed)) or not identifying_tags().isdisjoint(listed - MINIMAL_TAGS)
    return TagPlan(
        name=name,
        default=gone,
        private=gone,
        tags=dict.fromkeys(kept, KEPT),
        patterns=tuple(TagPattern(mask, value, KEPT) for mask, value in patterns),
        uids=uids,
        method=(name.removeprefix("profile:"),),
        removes_identity=uids.primary and not may_identify,
    )


def some_tags(tags: Sequence[int]) -> str:
    """Name up to six tags by keyword or number."""
    names = [keyword(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def needs_character_set(tag: int) -> bool:
    """Return whether an element's value may depend on SpecificCharacterSet."""
    if tag >> 16 & 1 or tag not in DicomDictionary:
        return True
    return dictionary_VR(tag) in CHARSET_VRS


def remove_plan(listed: frozenset[int], patterns: tuple[tuple[int, int], ...], uids: UidPolicy) -> TagPlan:
    """Remove the listed tags; keep all others.

    Raises:
        ConfigError: A listed tag is required in valid DICOM.
    """
    required = sorted(listed & MINIMAL_TAGS)
    if required:
        names = ", ".join(DicomDictionary[tag][4] for tag in required)
        raise ConfigError.of(
            "DicomConfig", [("removeList.tags", f"{names}: required in valid DICOM, so it cannot be removed")]
        )
    gone = Rule(Op.DELETE, "removeList")
    return TagPlan(
        name="removeList",
        tags=dict.fromkeys(listed, gone),
        patterns=(*(TagPattern(mask, value, gone) for mask, value in patterns), _OVERLAY_DATA),
        uids=uids,
        method=("removeList",),
    )


def keep_all_plan(uids: UidPolicy) -> TagPlan:
    """Keep every tag; only UIDs change."""
    return TagPlan(name="profile:KEEP_ALL_PROFILE", uids=uids, method=("KEEP_ALL_PROFILE",))


def contents_plan(uids: UidPolicy) -> TagPlan:
    """Keep every tag; inspect the text of tags with a text VR."""
    name = f"profile:{TagFilterProfile.DEIDENTIFY_TAG_CONTENTS}"
    return TagPlan(
        name=name,
        tags={ENCAPSULATED_DOCUMENT: Rule(Op.CHECK, name)},
        vrs=dict.fromkeys(TEXT_VRS, Rule(Op.TEXT, name)),
        uids=uids,
        method=(TagFilterProfile.DEIDENTIFY_TAG_CONTENTS.value,),
    )


def basic_plan(
    edition: Edition, options: Collection[ProfileOption | str] = (), *, primary: bool = True, strict: bool = False
) -> TagPlan:
    """Apply the Basic Application Level Confidentiality Profile of PS3.15."""
    table = ProfileTable(edition, options, strict=strict)
    retain_uids = ProfileOption.RETAIN_UIDS in table.options
    tags = dict(table.tags)
    said = set(table.options)
    if not primary:
        said.add(ProfileOption.RETAIN_UIDS)
        tags |= dict.fromkeys([*PRIMARY_UIDS, *REFERENCE_TAGS], KEPT)
    return TagPlan(
        name=f"profile:{TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE}",
        private=table.private,
        unknown=Rule(Op.DELETE, "unknown-tag"),
        tags=tags,
        top_tags=table.top_tags,
        valued=frozenset(table.valued),
        patterns=table.patterns,
        vrs=table.vrs,
        uids=UidPolicy(primary=primary and not retain_uids, others=not retain_uids),
        method=(f"PS3.15 {edition} Basic Profile", *sorted(option.replace("_", " ") for option in said)),
        method_codes=(BASIC_CODE, *sorted(METHOD_CODES[option] for option in said)),
        removes_identity=not strict,
        unclaimed="with strict_edition, elements that the edition does not list stay, and they can identify"
        if strict
        else "",
    )
