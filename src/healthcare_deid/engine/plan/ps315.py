"""DICOM PS3.15 Table E.1-1 as rules: one edition, its Basic Profile column, and the options that were asked for.

Two editions are data files made by ``tools/make_ps315.py``: ``2018e-google``, which stands for the edition the API
names (its attributes are those that Google's offline redactor lists, their rows those of 2020a, the nearest one that
could be had as data), and ``2026d``, the current one.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from pydicom._dicom_dict import DicomDictionary

from healthcare_deid.engine.plan.tags import (
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
    """The options of the Basic Profile that Table E.1-1 has a column for, in order of precedence over each other."""

    RETAIN_SAFE_PRIVATE = "retain_safe_private"
    """Keep private elements that are known to hold no identity."""
    RETAIN_UIDS = "retain_uids"
    """Keep UIDs."""
    RETAIN_DEVICE_IDENTITY = "retain_device_identity"
    """Keep what identifies the device."""
    RETAIN_INSTITUTION_IDENTITY = "retain_institution_identity"
    """Keep what identifies the institution."""
    RETAIN_PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    """Keep age, sex, size, weight and the like."""
    RETAIN_LONGITUDINAL_FULL_DATES = "retain_longitudinal_full_dates"
    """Keep dates and times."""
    RETAIN_LONGITUDINAL_MODIFIED_DATES = "retain_longitudinal_modified_dates"
    """Shift dates; keep the intervals between them."""
    CLEAN_DESCRIPTORS = "clean_descriptors"
    """Clean free text instead of removing it."""
    CLEAN_STRUCTURED_CONTENT = "clean_structured_content"
    """Clean structured reports' content instead of replacing it."""
    CLEAN_GRAPHICS = "clean_graphics"
    """Keep graphic annotations, their text cleaned. Bitmaps cannot be cleaned: overlays go all the same."""


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
"""PS3.16 CID 7050."""
BASIC_CODE = "113100"

_CURRENT: Edition = "2026d"
_FREE_TEXT: dict[int, tuple[str, dict[str, str]]] = {
    0x0040A160: ("D", {ProfileOption.CLEAN_STRUCTURED_CONTENT: "C"}),  # TextValue
    0x00700006: ("D", {ProfileOption.CLEAN_GRAPHICS: "C"}),  # UnformattedTextValue
}
"""Text that the table reaches by the sequence it stands in. It must not stay when only the sequence is kept."""
_REFERENCED_STUDY_SEQUENCE = 0x00081110
"""X/Z: in a report's Referenced Request Sequence it must be there, and may be empty (PS3.3 table C.17-2, Type 2); at
the top level and in Request Attributes it may be absent, and not be empty (tables C.7-3 and 10-9, Type 3)."""
_OF_ANIMALS = frozenset({0x00102297, 0x00102299})
"""ResponsiblePerson, ResponsibleOrganization, X: of animals they must be there, if empty (PS3.3 table C.7-1, 2C)."""
_UNLISTED_IDENTIFIERS = frozenset(
    {
        *(0x00100033, 0x00100034),  # dates of birth and death in another calendar
        *(0x00181803, 0x0040E001),  # NTP source address, HL7 instance identifier
        0x04000500,  # encrypted attributes: what an earlier de-identification took away
        *(0x00401006, 0x00401007, 0x00402006, 0x00402007),  # order numbers, the retired ones too
        *(0x0074100C, 0x21000160, 0x0040A992),  # whom to call, whose print job, URL of a report
    }
)
"""Attributes that the table does not mention in any edition, and that identify all the same."""
_COMMENT = re.compile(r"Comment|Notes$|Remarks?$|History$|Impressions?$|Opinion|Reason|Summary|Instruction(?:Text|s)$")
_TECHNICAL = re.compile(
    r"^Manufacturer(?:ModelName)?$|Version|Kernel$|CoilName$|^SequenceName$|^PulseSequenceName$|Units?$|"
    r"Algorithm(?:Name|Family)|^Filter|Material$|^Radiopharmaceutical$|^ContrastBolusAgent$"
)
"""Keywords of what a device says of itself, in words of its maker."""
_COMMENT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_DOCUMENT_TITLE = 0x00420010
"""As unlisted; it must be there, and may be empty (PS3.3 table C.24-2, Type 2)."""
_HARMLESS_URLS = frozenset({0x0008010E, 0x00080120})
"""CodingSchemeURL, URNCodeValue: of schemes, of concepts. Other URLs hold old UIDs, or lead to people."""
_OPS = {"X": Op.DELETE, "Z": Op.EMPTY, "D": Op.DUMMY, "U": Op.UID, "U*": Op.UID}
_EXCLUSIVE = {ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES, ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES}


class Table:
    """One edition with its options applied.

    Attributes that only a later edition knows to identify are removed with the older one too, unless ``strict``: an
    edition is what was known in its year, and what is known now is no less true of old files.

    Args:
        edition: Which table.
        options: Options of the profile.
        strict: Leave what this edition does not list.

    Attributes:
        tags: Rules by tag.
        top_tags: Rules by tag that differ at the top level and in sequences that are cleaned.
        valued: Tags that are cleaned where the profile alone would write a dummy: an IOD wants a value there (Type 1).
        vrs: Rules by VR for what no edition lists, unless ``strict``: names of persons and dates are emptied, URLs go.
        patterns: Rules of the repeating groups.
        private: The rule for private elements.

    Raises:
        ConfigError: An unknown edition or option, or options that exclude each other.
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
        if not strict:
            if edition != _CURRENT:
                self._read(_CURRENT)
            self._add_unlisted()
        # Without its data an overlay's description is an incomplete module (PS3.3 section C.9.2).
        self.patterns += (TagPattern(0xFF010000, 0x60000000, Rule(Op.DELETE, f"PS3.15 {edition} X")),)
        for number, (basic, by_option) in _FREE_TEXT.items():
            self._set(number, basic, _rule("free text", basic, by_option, self.options))
        for number in _OF_ANIMALS:
            self.tags[number] = self.tags[number]._replace(op=Op.EMPTY)
        self._follow_document()
        studies = self.tags[_REFERENCED_STUDY_SEQUENCE]
        self.top_tags = {_REFERENCED_STUDY_SEQUENCE: studies._replace(op=Op.DELETE)} if studies.op is Op.EMPTY else {}

    def _follow_document(self) -> None:
        """Let what describes an encapsulated document go with it (PS3.3 table C.24-2): its type is Type 1."""
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
            # Text that no table lists says as much as text that one does: labels, names of beams, meanings of codes.
            self.vrs |= dict.fromkeys(_COMMENT_VRS, Rule(Op.TEXT, "unlisted"))
            for number in (*CODE_TAGS, *_technical_tags()):
                self.tags.setdefault(number, KEPT)
        if ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES not in self.options:
            shifted = ProfileOption.RETAIN_LONGITUDINAL_MODIFIED_DATES in self.options
            date = Rule(Op.SHIFT, "unlisted") if shifted else emptied
            self.vrs |= {"DA": date, "DT": date}

    def _read(self, edition: Edition) -> None:
        """Take an edition's rows, those excepted that are there already."""
        known_patterns = {entry[:2] for entry in self.patterns}
        for tag, (basic, by_option) in _rows(edition).items():
            rule = _rule(edition, basic, by_option, self.options)
            if tag == "private":
                self.private = self.private if self.private != KEPT else Rule(Op.DELETE, f"PS3.15 {edition} X")
            elif "X" in tag:
                pattern = _pattern(tag, Rule(Op.DELETE, f"PS3.15 {edition} X"))
                self.patterns += () if pattern[:2] in known_patterns else (pattern,)
            elif rule.op is Op.EMPTY and basic == "X/Z":
                # X became X/Z where IODs turned out to need the element: emptied it is as private, and valid.
                known = self.tags.get(int(tag, 16), rule)
                self.tags[int(tag, 16)] = rule if known.op is Op.DELETE else known
            else:
                self._set(int(tag, 16), basic, rule)

    def _set(self, tag: int, basic: str, rule: Rule) -> None:
        """Set the rule of a tag that has none."""
        if self.tags.setdefault(tag, rule) is rule and rule.op is Op.TEXT and basic.endswith("D"):
            self.valued.add(tag)


@lru_cache(maxsize=2)
def _rows(edition: str) -> dict[str, Any]:
    if edition not in ("2018e-google", "2026d"):
        raise ConfigError('the PS3.15 editions are "2018e-google" and "2026d"')
    file = resources.files("healthcare_deid.engine.plan").joinpath("data", f"ps315_{edition.replace('-', '_')}.json")
    rows: dict[str, Any] = json.loads(file.read_text("utf-8"))["rows"]
    return rows


@lru_cache(maxsize=2)
def identifying_tags(edition: Edition = "2026d") -> frozenset[int]:
    """Return the tags that the Basic Profile does anything to: the ones that can identify."""
    return frozenset(int(tag, 16) for tag in _rows(edition) if "X" not in tag and tag != "private")


@lru_cache(maxsize=2)
def descriptor_tags(edition: Edition = "2026d") -> frozenset[int]:
    """Return the tags that the Clean Descriptors Option cleans instead of removing them."""
    option = ProfileOption.CLEAN_DESCRIPTORS
    rows = ((tag, row[1]) for tag, row in _rows(edition).items() if "X" not in tag and tag != "private")
    return frozenset(int(tag, 16) for tag, by_option in rows if by_option.get(option) == "C")


@lru_cache(maxsize=1)
def _technical_tags() -> frozenset[int]:
    """Return the attributes in which a device describes itself: nobody types them, and cleaning would spoil them."""
    return frozenset(
        tag for tag, row in DicomDictionary.items() if row[0] in _COMMENT_VRS and _TECHNICAL.search(row[4]) is not None
    )


@lru_cache(maxsize=1)
def _comments() -> frozenset[int]:
    """Return the attributes for comments and the like: what somebody types about one patient, listed or not."""
    return frozenset(
        tag for tag, row in DicomDictionary.items() if row[0] in _COMMENT_VRS and _COMMENT.search(row[4]) is not None
    )


def basic_codes(edition: Edition) -> dict[int, str]:
    """Return the Basic Profile code of every single tag, such as ``"X/Z/D"``."""
    return {int(tag, 16): row[0] for tag, row in _rows(edition).items() if "X" not in tag and tag != "private"}


def _options(options: Collection[ProfileOption | str]) -> frozenset[ProfileOption]:
    try:
        chosen = frozenset(ProfileOption(option) for option in options)
    except ValueError:
        raise ConfigError(f"the profile's options are {', '.join(ProfileOption)}") from None
    if chosen >= _EXCLUSIVE:
        raise ConfigError(f"{' and '.join(sorted(_EXCLUSIVE))} exclude each other: choose one")
    return chosen


def _rule(edition: str, basic: str, by_option: dict[str, str], chosen: frozenset[ProfileOption]) -> Rule:
    """Return the rule of a row: an option is stronger than the profile, and keeping stronger than cleaning.

    Shifting dates is stronger still: one true date beside shifted ones undoes the shift of all.
    """
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
    """``50XXXXXX`` is a whole repeating group, ``60XX3000`` one element of it; only even groups (PS3.5 section 7.6)."""
    mask = int("".join("0" if digit == "X" else "F" for digit in tag), 16) | 0x00010000
    return TagPattern(mask, int(tag.replace("X", "0"), 16), rule)
