"""From a config to a plan: v1's lists and profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.datadict import dictionary_VR

from healthcare_deid.config.dicom import DicomConfig, TagFilterProfile
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, tag_number
from healthcare_deid.engine.dicom.elements import is_private
from healthcare_deid.engine.identity.uids import PRIMARY_UIDS, REFERENCE_TAGS
from healthcare_deid.engine.plan.ps315 import BASIC_CODE, METHOD_CODES, Edition, ProfileOption, Table, identifying_tags
from healthcare_deid.engine.plan.tags import (
    ENCAPSULATED_DOCUMENT,
    KEPT,
    TEXT_VRS,
    Op,
    Plan,
    Rule,
    TagPattern,
    UidPolicy,
)
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SOP_CLASS_UID = 0x00080016
PATIENT_ID = 0x00100020
SPECIFIC_CHARACTER_SET = 0x00080005
_OVERLAY_DATA = TagPattern(0xFF01FFFF, 0x60003000, Rule(Op.DELETE, "removeList:OverlayData"))
CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT", "SQ"})

MINIMAL_TAGS = frozenset(tag_number(tag) for tag in MINIMAL_KEEP_TAGS)


def compile_dicom_config(
    config: DicomConfig | None,
    *,
    edition: Edition = "2018e-google",
    options: Collection[ProfileOption | str] = (),
    strict_edition: bool = False,
    strict_keep_list: bool = False,
    nested: bool = True,
) -> Plan:
    """Compile v1's `DicomConfig`.

    Args:
        config: The message; None is the same as an empty one.
        edition: Which PS3.15 table ``ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE`` means.
        options: Options of that profile; not part of the API.
        strict_edition: Do not remove what only a later edition lists.
        strict_keep_list: Do not add SOPClassUID to the tags that keep modes always keep.
        nested: Whether a list reaches into sequences.

    Raises:
        ConfigError: An unknown tag, a required tag in ``removeList``, options without the Basic Profile, or ``nested``
            without a list.
    """
    config = config or DicomConfig()
    uids = UidPolicy(primary=not config.skip_id_redaction)
    profile = config.filter_profile or TagFilterProfile.TAG_FILTER_PROFILE_UNSPECIFIED
    if profile != TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE and (options or edition != "2018e-google"):
        raise ConfigError("a PS3.15 edition and options need filterProfile ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")
    plan = _list_plan(config, uids, strict=strict_keep_list)
    if plan is not None:
        return plan if nested else replace(plan, nested=False, removes_identity=False)
    if not nested:
        raise ConfigError("nested=False is for a keepList or a removeList: profiles reach into sequences")
    if profile == TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE:
        return keep_plan(f"profile:{profile}", frozenset(), uids, strict=strict_keep_list)
    if profile == TagFilterProfile.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE:
        return basic_plan(edition, options, primary=uids.primary, strict=strict_edition)
    if profile == TagFilterProfile.DEIDENTIFY_TAG_CONTENTS:
        return contents_plan(uids)
    return keep_all_plan(uids)


def _list_plan(config: DicomConfig, uids: UidPolicy, *, strict: bool) -> Plan | None:
    if config.keep_list is not None and config.keep_list.tags:
        listed, patterns = tags_and_patterns(config.keep_list.tags, "keepList.tags")
        return keep_plan("keepList", listed, uids, patterns=patterns, strict=strict)
    if config.remove_list is not None and config.remove_list.tags:
        return _remove_plan(*tags_and_patterns(config.remove_list.tags, "removeList.tags"), uids)
    return None


def tags_and_patterns(tags: Iterable[str], place: str) -> tuple[frozenset[int], tuple[tuple[int, int], ...]]:
    """Return tags by number, and repeating groups (a keyword such as ``OverlayData``) as mask and value.

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
    """Return mask and value of every repeating element of groups 50xx and 60xx, by keyword (PS3.5 section 7.6)."""
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
) -> Plan:
    """Keep the listed tags and the minimal ones; remove every other, private ones included."""
    kept = MINIMAL_TAGS | listed
    if not strict:
        kept |= {SOP_CLASS_UID}
    if any(needs_character_set(tag) for tag in listed):
        kept |= {SPECIFIC_CHARACTER_SET}
    gone = Rule(Op.DELETE, name)
    may_identify = patterns or any(map(is_private, listed)) or not identifying_tags().isdisjoint(listed - MINIMAL_TAGS)
    return Plan(
        name=name,
        default=gone,
        private=gone,
        tags=dict.fromkeys(kept, KEPT),
        patterns=tuple(TagPattern(mask, value, KEPT) for mask, value in patterns),
        uids=uids,
        method=(name.removeprefix("profile:"),),
        removes_identity=uids.primary and not may_identify,
    )


def needs_character_set(tag: int) -> bool:
    """Return whether an element's value depends on SpecificCharacterSet, or may."""
    if tag >> 16 & 1 or tag not in DicomDictionary:
        return True
    return dictionary_VR(tag) in CHARSET_VRS


def _remove_plan(listed: frozenset[int], patterns: tuple[tuple[int, int], ...], uids: UidPolicy) -> Plan:
    required = sorted(listed & MINIMAL_TAGS)
    if required:
        names = ", ".join(DicomDictionary[tag][4] for tag in required)
        raise ConfigError.of(
            "DicomConfig", [("removeList.tags", f"{names}: valid DICOM needs it, so it cannot be removed")]
        )
    gone = Rule(Op.DELETE, "removeList")
    return Plan(
        name="removeList",
        tags=dict.fromkeys(listed, gone),
        patterns=(*(TagPattern(mask, value, gone) for mask, value in patterns), _OVERLAY_DATA),
        uids=uids,
        method=("removeList",),
    )


def keep_all_plan(uids: UidPolicy) -> Plan:
    """Keep every tag; only UIDs change."""
    return Plan(name="profile:KEEP_ALL_PROFILE", uids=uids, method=("KEEP_ALL_PROFILE",))


def contents_plan(uids: UidPolicy) -> Plan:
    """Keep every tag; inspect the text of those whose VR holds text."""
    name = f"profile:{TagFilterProfile.DEIDENTIFY_TAG_CONTENTS}"
    return Plan(
        name=name,
        tags={ENCAPSULATED_DOCUMENT: Rule(Op.CHECK, name)},
        vrs=dict.fromkeys(TEXT_VRS, Rule(Op.TEXT, name)),
        uids=uids,
        method=(TagFilterProfile.DEIDENTIFY_TAG_CONTENTS.value,),
    )


def basic_plan(
    edition: Edition, options: Collection[ProfileOption | str] = (), *, primary: bool = True, strict: bool = False
) -> Plan:
    """PS3.15's Basic Application Level Confidentiality Profile."""
    table = Table(edition, options, strict=strict)
    retain_uids = ProfileOption.RETAIN_UIDS in table.options
    tags = dict(table.tags)
    said = set(table.options)
    if not primary:
        said.add(ProfileOption.RETAIN_UIDS)
        tags |= dict.fromkeys([*PRIMARY_UIDS, *REFERENCE_TAGS], KEPT)
    return Plan(
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
        removes_identity=True,
    )
