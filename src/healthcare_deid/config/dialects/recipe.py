"""`RecipeConversion`: the result of reading another program's recipe.

A recipe decides for single tags. Every decision becomes a tag action of v1beta1, an engine option, or both. Where the
engine cannot do what the recipe says, the value is emptied and the line is listed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from healthcare_deid.config.tags import (
    MINIMAL_KEEP_TAGS,
    dictionary_entries,
    entry_of,
    is_private,
    keyword_of,
    tag_number,
)
from healthcare_deid.config.v1beta1.builder import ConfigBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.config.tags import DictionaryEntry
    from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig

_REQUIRED = frozenset(map(tag_number, MINIMAL_KEEP_TAGS))
_PRIMARY = tuple(map(tag_number, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")))
_META_INSTANCE = tag_number("MediaStorageSOPInstanceUID")
_SOP_CLASS = tag_number("SOPClassUID")
_CHARACTER_SET = tag_number("SpecificCharacterSet")
# DeidentificationMethod and related attributes (PS3.15 section E.1.1).
MARKERS = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280303})
"""Attributes that the engine writes itself, from what it did to the instance."""
PSEUDONYMIZED = frozenset(map(tag_number, ("PatientID", "PatientName", "AccessionNumber", "StudyID")))
"""Attributes that pseudonyms replace."""
_TEXT_VRS = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"])
_DATE_VRS = frozenset({"DA", "DT"})
_META = 0x0002
_NOT_IN_A_DATASET = frozenset({0x0000, _META, 0x0004, 0xFFFE})


class Fate(Enum):
    """Treatment of an attribute."""

    KEEP = auto()
    """It stays unchanged."""
    DELETE = auto()
    """It is removed."""
    EMPTY = auto()
    """It stays without a value."""
    REGENERATE = auto()
    """Its UID is replaced, consistently."""
    SHIFT = auto()
    """Its date is shifted."""
    RECURSE = auto()
    """The items of the sequence are de-identified."""


class RecipeLine(NamedTuple):
    """A line of a recipe that is not carried out literally.

    Attributes:
        line: Line number, from 1.
        subject: The tag, section or function that the line is about; never a value.
        reason: Why it was not converted.
        instead: What happens instead.
    """

    line: int
    subject: str
    reason: str
    instead: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.subject}: {self.reason}; {self.instead}"


@dataclass(frozen=True, slots=True)
class RecipeConversion:
    """A converted recipe. The config and the options belong together.

    Attributes:
        config: The config; on its own it removes at least as much as the recipe.
        options: Arguments of `Deidentifier` besides the config: ``set_values``, ``replace`` and ``uid_root``.
        wants_pseudonyms: Whether the recipe replaces patient identifiers by derived ones: pass ``pseudonyms=`` too.
        unconverted: Lines that could not be expressed, with what happens instead.
        approximated: Lines that are carried out differently, but to the same end.
    """

    config: DeidentifyConfig
    options: dict[str, Any]
    wants_pseudonyms: bool
    unconverted: tuple[RecipeLine, ...]
    approximated: tuple[RecipeLine, ...]


@dataclass
class RecipeDecisions:
    """Decisions that a reader collected from one recipe."""

    removes_others: bool = False
    """Whether attributes without a decision are removed."""
    removes_private: bool = True
    """Whether private attributes are removed."""
    fates: dict[int, Fate] = field(default_factory=dict[int, Fate])
    set_values: dict[int, str] = field(default_factory=dict[int, str])
    replace: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    uid_root: str = ""
    wants_pseudonyms: bool = False
    unconverted: list[RecipeLine] = field(default_factory=list[RecipeLine])
    approximated: list[RecipeLine] = field(default_factory=list[RecipeLine])

    def decide(self, tag: int, fate: Fate) -> None:
        """Record a decision; it replaces an earlier one."""
        self.set_values.pop(tag, None)
        self.replace = [one for one in self.replace if one[0] != _name(tag)]
        self.fates[tag] = fate

    def set_value(self, tag: int, value: str, line: int) -> None:
        """Give an attribute a value, if the engine can."""
        name = _name(tag)
        if tag in MARKERS:
            self.approximate(line, name, "the engine writes it from what it did", "its own value is written")
        elif tag == _CHARACTER_SET:
            self.approximate(line, name, "the engine keeps the text readable", "the instance's character set stays")
        elif is_private(tag) or tag >> 16 in {0x0028, 0x7FE0, *_NOT_IN_A_DATASET} or _vrs(tag) & {"SQ", "UI", ""}:
            self.give_up(tag, line, "a value cannot be set here")
        else:
            self.decide(tag, Fate.DELETE)
            self.set_values[tag] = value

    def rewrite(self, tag: int, pattern: str, replacement: str, line: int) -> None:
        """Rewrite part of an attribute, if it is text."""
        if is_private(tag) or not _vrs(tag) & _TEXT_VRS:
            self.give_up(tag, line, "only text can be rewritten")
            return
        self.decide(tag, Fate.KEEP)
        self.replace.append((_name(tag), pattern, replacement))
        self.approximate(line, _name(tag), "the config alone keeps the value", "the option replace rewrites it")

    def shift(self, tag: int, line: int, reason: str = "") -> None:
        """Shift a date, if it is one."""
        if not _vrs(tag) & _DATE_VRS:
            self.give_up(tag, line, "only dates (VR DA and DT) can be shifted")
            return
        self.decide(tag, Fate.SHIFT)
        if reason:
            self.approximate(line, _name(tag), reason, "the days come from the patient and the key")

    def pseudonymize(
        self, tag: int, line: int, what: str, instead: str = "pseudonyms= derives it from the secret"
    ) -> None:
        """Ask for a pseudonym, if the identifier can get one."""
        if tag not in PSEUDONYMIZED:
            self.give_up(tag, line, f"{what}: only PatientID, PatientName, AccessionNumber and StudyID get pseudonyms")
            return
        self.decide(tag, Fate.EMPTY)
        self.wants_pseudonyms = True
        self.approximate(line, _name(tag), f"{what} has another form here", instead)

    def give_up(self, tag: int, line: int, reason: str) -> None:
        """List a line that cannot be expressed and empty its attribute.

        Attributes that the image needs stay, primary UIDs are regenerated, and private attributes are removed.
        """
        if tag in _PRIMARY or tag == _META_INSTANCE:
            fate, instead = Fate.REGENERATE, "regenerated"
        elif tag in _REQUIRED or tag == _SOP_CLASS or tag >> 16 in {_META, 0x0028}:
            fate, instead = Fate.KEEP, "kept: the image needs it"
        elif is_private(tag):
            fate, instead = Fate.DELETE, "removed"
        else:
            fate, instead = Fate.EMPTY, "emptied"
        self.decide(tag, fate)
        self.unconverted.append(RecipeLine(line, _name(tag), reason, instead))

    def approximate(self, line: int, subject: str, reason: str, instead: str) -> None:
        """List a line that is carried out differently."""
        self.approximated.append(RecipeLine(line, subject, reason, instead))

    def convert(self) -> RecipeConversion:
        """Build the config and the engine's options."""
        if self.wants_pseudonyms:
            self._tell_other_pseudonyms()
        changes = self.removes_others or self.replace or set(self.fates.values()) - {Fate.KEEP}
        if not changes and not self.unconverted:
            self.unconverted.append(RecipeLine(1, "recipe", "it changes no standard attribute", "all of them stay"))
        options: dict[str, Any] = {}
        if self.set_values:
            options["set_values"] = {_name(tag): value for tag, value in self.set_values.items()}
        if self.replace:
            options["replace"] = tuple(self.replace)
        if self.uid_root:
            options["uid_root"] = self.uid_root
        return RecipeConversion(
            self._config(), options, self.wants_pseudonyms, tuple(self.unconverted), tuple(self.approximated)
        )

    def _tell_other_pseudonyms(self) -> None:
        """List identifiers that get a pseudonym although the recipe keeps them."""
        told = {one.subject for one in self.approximated if "pseudonyms=" in one.instead}
        line = min(one.line for one in self.approximated if "pseudonyms=" in one.instead)
        for tag in sorted(PSEUDONYMIZED):
            if _name(tag) not in told and tag not in self.set_values:
                self.approximate(line, _name(tag), "pseudonyms go together", "it gets a pseudonym too")

    def _config(self) -> DeidentifyConfig:
        keeps_all = not self.removes_others and not self.removes_private
        builder = ConfigBuilder().filter_profile("KEEP_ALL_PROFILE" if keeps_all else "MINIMAL_KEEP_LIST_PROFILE")
        fates = dict(self.fates)
        if not self.removes_others and self.removes_private:
            # No action names "every private tag", so the minimal profile removes them and the dictionary is kept.
            # Sequences are entered, so that the recipe's decisions hold in their items too.
            kept = {entry.number: Fate.RECURSE if entry.vr == "SQ" else Fate.KEEP for entry in _standard_entries()}
            fates = kept | fates
        builder = self._uids(builder, fates)
        for fate in Fate:
            queries = [
                _name(tag) for tag, decided in fates.items() if decided is fate and not _needs_no_action(tag, fate)
            ]
            if queries:
                builder = _with_fate(builder, fate, queries)
        if Fate.SHIFT in fates.values():
            builder = builder.shift_dates().other_info_types("keep")
        return builder.build()

    def _uids(self, builder: ConfigBuilder, fates: dict[int, Fate]) -> ConfigBuilder:
        """Keep or regenerate the primary UIDs, together if possible."""
        regenerated = [tag for tag in _PRIMARY if fates.pop(tag, Fate.KEEP) is not Fate.KEEP]
        fates.pop(_META_INSTANCE, None)
        if len(regenerated) == len(_PRIMARY):
            return builder.regenerate_uids()
        builder = builder.keep_uids()
        if _PRIMARY[2] in regenerated:
            regenerated.append(_META_INSTANCE)
        return builder.regenerate_uids(*map(_name, regenerated)) if regenerated else builder


def _with_fate(builder: ConfigBuilder, fate: Fate, queries: list[str]) -> ConfigBuilder:
    match fate:
        case Fate.KEEP:
            return builder.keep_tags(*queries)
        case Fate.DELETE:
            return builder.remove_tags(*queries)
        case Fate.EMPTY:
            return builder.empty_tags(*queries)
        case Fate.REGENERATE:
            return builder.regenerate_uids(*queries)
        case Fate.SHIFT:
            return builder.clean_tags(*queries)
        case Fate.RECURSE:
            return builder.recurse_into(*queries)
        case _:
            assert_never(fate)


def _needs_no_action(tag: int, fate: Fate) -> bool:
    """Return whether the profile does it already.

    A keep action on PixelData would also prevent redaction.
    """
    return tag >> 16 in _NOT_IN_A_DATASET or tag in MARKERS or (fate is Fate.KEEP and tag in _REQUIRED)


def _standard_entries() -> Iterable[DictionaryEntry]:
    return (entry for entry in dictionary_entries() if entry.number >> 16 not in _NOT_IN_A_DATASET)


def tags_where(groups: Iterable[int]) -> list[int]:
    """Return the dictionary's tags in these groups.

    A repeating group is represented by its first tag.
    """
    wanted = set(groups)
    return [entry.number for entry in dictionary_entries() if entry.number >> 16 in wanted]


def _vrs(tag: int) -> set[str]:
    entry = entry_of(tag)
    return set(entry.vr.split("/")) if entry else {""}


def _name(tag: int) -> str:
    return keyword_of(tag) or f"{tag:08X}"
