"""Rules of DICOM PS3.15 Table E.1-1.

Two editions are data files made by ``tools/make_ps315.py``. ``2026d`` is the current one. ``2018e-google`` stands for
the edition that the API names: its attributes are those that Google's offline redactor lists, and its rows are those of
2020a, the nearest edition available as data.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pydicom._dicom_dict import DicomDictionary

from healthcare_deid.engine.plan.rules import (
    CODE_TAGS,
    ENCAPSULATED_DOCUMENT,
    KEPT,
    LENGTH_OF_DOCUMENT,
    MIME_TYPE_OF_DOCUMENT,
    Op,
    Rule,
    TagPattern,
)
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.engine.options import Edition


class ProfileOption(StrEnum):
    """Options of the Basic Profile in Table E.1-1.

    Their order is their precedence.
    """

    RETAIN_SAFE_PRIVATE = "retain_safe_private"
    """Keep private elements known to hold no identity."""
    RETAIN_UIDS = "retain_uids"
    """Keep UIDs."""
    RETAIN_DEVICE_IDENTITY = "retain_device_identity"
    """Keep the device's identity."""
    RETAIN_INSTITUTION_IDENTITY = "retain_institution_identity"
    """Keep the institution's identity."""
    RETAIN_PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    """Keep age, sex, size, weight and the like."""
    RETAIN_LONGITUDINAL_FULL_DATES = "retain_longitudinal_full_dates"
    """Keep dates and times."""
    RETAIN_LONGITUDINAL_MODIFIED_DATES = "retain_longitudinal_modified_dates"
    """Shift dates; keep the intervals between them."""
    CLEAN_DESCRIPTORS = "clean_descriptors"
    """Clean free text instead of removing it."""
    CLEAN_STRUCTURED_CONTENT = "clean_structured_content"
    """Clean the content of structured reports instead of replacing it."""
    CLEAN_GRAPHICS = "clean_graphics"
    """Keep graphic annotations with their text cleaned. Overlays are bitmaps, cannot be cleaned, and are removed."""


METHOD_CODES = {
    ProfileOption.CLEAN_GRAPHICS: "113103",
    ProfileOption.CLEAN_STRUCTURED_CONTENT: "113104",
    ProfileOption.CLEAN_DESCRIPTORS: "113105",
    ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES: "113106",
    ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES: "113107",
    ProfileOption.RETAIN_PATIENT_CHARACTERISTICS: "113108",
    ProfileOption.RETAIN_DEVICE_IDENTITY: "113109",
    ProfileOption.RETAIN_UIDS: "113110",
    ProfileOption.RETAIN_SAFE_PRIVATE: "113111",
    ProfileOption.RETAIN_INSTITUTION_IDENTITY: "113112",
}
"""Codes of PS3.16 CID 7050."""
BASIC_CODE = "113100"

_CURRENT: Edition = "2026d"
# Text that the table covers only through the enclosing sequence. It must not stay when that sequence is kept.
_FREE_TEXT: dict[int, tuple[str, dict[str, str]]] = {
    0x0040A160: ("D", {ProfileOption.CLEAN_STRUCTURED_CONTENT: "C"}),  # TextValue
    0x00700006: ("D", {ProfileOption.CLEAN_GRAPHICS: "C"}),  # UnformattedTextValue
}
# X/Z. In a report's Referenced Request Sequence it is Type 2, so it may be empty but not absent (PS3.3 table C.17-2).
# At the top level and in Request Attributes it is Type 3, so it may be absent (tables C.7-3 and 10-9).
_REFERENCED_STUDY_SEQUENCE = 0x00081110
# ResponsiblePerson, ResponsibleOrganization: X, but Type 2C for animals, so they are emptied (PS3.3 table C.7-1).
_OF_ANIMALS = frozenset({0x00102297, 0x00102299})
# Identifying attributes that no edition of the table lists.
_UNLISTED_IDENTIFIERS = frozenset(
    {
        *(0x00100033, 0x00100034),  # dates of birth and death in another calendar
        *(0x00181803, 0x0040E001),  # NTP source address, HL7 instance identifier
        0x04000500,  # encrypted attributes: originals from an earlier de-identification
        *(0x00401006, 0x00401007, 0x00402006, 0x00402007),  # order numbers, the retired ones too
        *(0x0074100C, 0x21000160, 0x0040A992),  # contact display name, owner ID of a print job, URI of a report
    }
)
_COMMENT = re.compile(r"Comment|Notes$|Remarks?$|History$|Impressions?$|Opinion|Reason|Summary|Instruction(?:Text|s)$")
# Keywords of attributes in which a device describes itself in its maker's words.
_TECHNICAL = re.compile(
    r"^Manufacturer(?:ModelName)?$|Version|Kernel$|CoilName$|^SequenceName$|^PulseSequenceName$|Units?$|"
    r"Algorithm(?:Name|Family)|^Filter|Material$|^Radiopharmaceutical$|^ContrastBolusAgent$"
)
_COMMENT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
# Unlisted too, but Type 2, so it is emptied (PS3.3 table C.24-2).
_DOCUMENT_TITLE = 0x00420010
# CodingSchemeURL and URNCodeValue name schemes and concepts. Other URLs contain old UIDs or lead to people.
_HARMLESS_URLS = frozenset({0x0008010E, 0x00080120})
_OPS = {"X": Op.DELETE, "Z": Op.EMPTY, "D": Op.DUMMY, "U": Op.UID, "U*": Op.UID}
_EXCLUSIVE = {ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES, ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES}


class ProfileTable:
    """One edition with its options applied.

    Attributes that only a later edition lists are removed under the older one too, unless ``strict``: they were just as
    identifying before they were listed.

    Args:
        edition: Edition of the table.
        options: Options of the profile.
        strict: Leave attributes that this edition does not list.

    Attributes:
        tags: Rules by tag.
        top_tags: Rules by tag that differ at the top level and in cleaned sequences.
        valued: Cleaned tags that must not become empty, because an IOD requires a value (Type 1).
        vrs: Rules by VR for unlisted attributes, unless ``strict``: person names and dates are emptied, URLs removed.
        patterns: Rules of repeating groups.
        private: Rule for private elements.

    Raises:
        ConfigError: The edition or an option is unknown, or options exclude each other.
    """

    def __init__(
        self, edition: Edition, options: Collection[ProfileOption | str] = (), *, strict: bool = False
    ) -> None:
        self.options = _options(options)
        self.tags: dict[int, Rule] = {}
        self.valued: set[int] = set()
        self.patterns: tuple[TagPattern, ...] = ()
        self.private = KEPT
        self._read(edition)
        self.vrs: dict[str, Rule] = {}
        # An older edition is completed by the current one: old files are no less identifying than new ones.
        if not strict:
            if edition != _CURRENT:
                self._read(_CURRENT)
            self._add_unlisted()
        # Without OverlayData the rest of the overlay plane module would be incomplete (PS3.3 section C.9.2).
        self.patterns += (TagPattern(0xFF010000, 0x60000000, Rule(Op.DELETE, f"PS3.15 {edition} X")),)
        for number, (basic, by_option) in _FREE_TEXT.items():
            self._set(number, basic, _rule("free text", basic, by_option, self.options))
        for number in _OF_ANIMALS:
            self.tags[number] = self.tags[number]._replace(op=Op.EMPTY)
        self._follow_document()
        studies = self.tags[_REFERENCED_STUDY_SEQUENCE]
        self.top_tags = {_REFERENCED_STUDY_SEQUENCE: studies._replace(op=Op.DELETE)} if studies.op is Op.EMPTY else {}

    def _follow_document(self) -> None:
        """Remove the description of a removed encapsulated document.

        Its MIME type is Type 1 (PS3.3 table C.24-2).
        """
        document = self.tags.get(ENCAPSULATED_DOCUMENT, KEPT)
        if document.op in (Op.DUMMY, Op.EMPTY, Op.DELETE):
            self.tags.setdefault(MIME_TYPE_OF_DOCUMENT, document._replace(op=Op.DUMMY))
            self.tags.setdefault(LENGTH_OF_DOCUMENT, document._replace(op=Op.DELETE))

    def _add_unlisted(self) -> None:
        gone, emptied = Rule(Op.DELETE, "unlisted"), Rule(Op.EMPTY, "unlisted")
        for number in _UNLISTED_IDENTIFIERS:
            self.tags.setdefault(number, gone)
        cleans = ProfileOption.CLEAN_DESCRIPTORS in self.options
        for number in _comments():
            self.tags.setdefault(number, Rule(Op.TEXT, "unlisted") if cleans else gone)
        self.tags.setdefault(_DOCUMENT_TITLE, Rule(Op.TEXT, "unlisted") if cleans else emptied)
        for number in _HARMLESS_URLS:
            self.tags.setdefault(number, KEPT)
        self.vrs = {"PN": emptied, "UR": gone}
        if cleans:
            # Unlisted text can identify as much as listed text: labels, beam names, code meanings.
            self.vrs |= dict.fromkeys(_COMMENT_VRS, Rule(Op.TEXT, "unlisted"))
            for number in (*CODE_TAGS, *_technical_tags()):
                self.tags.setdefault(number, KEPT)
        if ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES not in self.options:
            shifted = ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES in self.options
            date = Rule(Op.SHIFT, "unlisted") if shifted else emptied
            self.vrs |= {"DA": date, "DT": date}

    def _read(self, edition: Edition) -> None:
        """Add an edition's rows, without overriding existing ones."""
        known_patterns = {entry[:2] for entry in self.patterns}
        for tag, (basic, by_option) in _rows(edition).items():
            rule = _rule(edition, basic, by_option, self.options)
            if tag == "private":
                self.private = self.private if self.private != KEPT else Rule(Op.DELETE, f"PS3.15 {edition} X")
            elif "X" in tag:
                pattern = _pattern(tag, Rule(Op.DELETE, f"PS3.15 {edition} X"))
                self.patterns += () if pattern[:2] in known_patterns else (pattern,)
            elif rule.op is Op.EMPTY and basic == "X/Z":
                # X became X/Z when an IOD turned out to require the element. Emptied it is as private, and valid.
                known = self.tags.get(int(tag, 16), rule)
                self.tags[int(tag, 16)] = rule if known.op is Op.DELETE else known
            else:
                self._set(int(tag, 16), basic, rule)

    def _set(self, tag: int, basic: str, rule: Rule) -> None:
        """Set the rule of a tag, unless it has one."""
        if self.tags.setdefault(tag, rule) is rule and rule.op is Op.TEXT and basic.endswith("D"):
            self.valued.add(tag)


@lru_cache(maxsize=2)
def _rows(edition: str) -> dict[str, Any]:
    if edition not in ("2018e-google", "2026d"):
        raise ConfigError('edition must be "2018e-google" or "2026d"')
    file = resources.files("healthcare_deid.engine.plan").joinpath("data", f"ps315_{edition.replace('-', '_')}.json")
    rows: dict[str, Any] = json.loads(file.read_text("utf-8"))["rows"]
    return rows


@lru_cache(maxsize=2)
def identifying_tags(edition: Edition = "2026d") -> frozenset[int]:
    """Return the tags that the Basic Profile changes, which can identify."""
    return frozenset(int(tag, 16) for tag in _rows(edition) if "X" not in tag and tag != "private")


@lru_cache(maxsize=2)
def descriptor_tags(edition: Edition = "2026d") -> frozenset[int]:
    """Return the tags that the Clean Descriptors Option cleans instead of removing."""
    option = ProfileOption.CLEAN_DESCRIPTORS
    rows = ((tag, row[1]) for tag, row in _rows(edition).items() if "X" not in tag and tag != "private")
    return frozenset(int(tag, 16) for tag, by_option in rows if by_option.get(option) == "C")


@lru_cache(maxsize=1)
def _technical_tags() -> frozenset[int]:
    """Return attributes in which a device describes itself.

    Nobody types them, and cleaning would spoil them.
    """
    return frozenset(
        tag for tag, row in DicomDictionary.items() if row[0] in _COMMENT_VRS and _TECHNICAL.search(row[4]) is not None
    )


@lru_cache(maxsize=1)
def _comments() -> frozenset[int]:
    """Return attributes for comments about one patient.

    The table lists only some of them.
    """
    return frozenset(
        tag for tag, row in DicomDictionary.items() if row[0] in _COMMENT_VRS and _COMMENT.search(row[4]) is not None
    )


def basic_codes(edition: Edition) -> dict[int, str]:
    """Return the Basic Profile code of each single tag, such as ``"X/Z/D"``."""
    return {int(tag, 16): row[0] for tag, row in _rows(edition).items() if "X" not in tag and tag != "private"}


def _options(options: Collection[ProfileOption | str]) -> frozenset[ProfileOption]:
    try:
        chosen = frozenset(ProfileOption(option) for option in options)
    except ValueError:
        raise ConfigError(f"options: unknown option; choose from {', '.join(ProfileOption)}") from None
    if chosen >= _EXCLUSIVE:
        raise ConfigError(f"{' and '.join(sorted(_EXCLUSIVE))} exclude each other: choose one")
    return chosen


def _rule(edition: str, basic: str, by_option: dict[str, str], chosen: frozenset[ProfileOption]) -> Rule:
    """Return the rule of a row under the chosen options."""
    # Keeping precedes cleaning, and both precede the profile. Shifting dates precedes all: one true date beside shifted
    # ones
    # would undo the shift of the others.
    shifting = ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES
    if shifting in chosen and by_option.get(shifting) == "C":
        return Rule(Op.SHIFT, f"PS3.15 {edition} C {shifting}")
    codes = {by_option[option]: option for option in ProfileOption if option in chosen and option in by_option}
    if "K" in codes:
        return KEPT
    if "C" in codes:
        return Rule(Op.TEXT, f"PS3.15 {edition} C {codes['C']}")
    return Rule(_OPS[basic.rsplit("/", 1)[-1]], f"PS3.15 {edition} {basic}")


def _pattern(tag: str, rule: Rule) -> TagPattern:
    """Return the pattern of a repeating group.

    ``50XXXXXX`` is a whole group, ``60XX3000`` one element of it.
    """
    # Only even groups repeat (PS3.5 section 7.6); odd ones are private.
    mask = int("".join("0" if digit == "X" else "F" for digit in tag), 16) | 0x00010000
    return TagPattern(mask, int(tag.replace("X", "0"), 16), rule)
