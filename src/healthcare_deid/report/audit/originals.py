"""Originals, whose names, numbers, dates and UIDs are searched for in results, in every spelling."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.dicom.uids import CLASS_TAGS, uid_text
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.ps315 import ProfileOption
from healthcare_deid.engine.plan.rules import CODE_TAGS, DATE_VRS, ENCAPSULATED_DOCUMENT
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.engine.silence import quiet
from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.lexicon import everyday, first_names, fold, surnames, vocabulary
from healthcare_deid.engine.text.find.own_terms import OwnTerms
from healthcare_deid.engine.text.find.own_values import OwnValue, own_sources
from healthcare_deid.errors import EngineError
from healthcare_deid.report.audit.elements import elements_of
from healthcare_deid.report.audit.findings import Residual, Residue, shape_of
from healthcare_deid.report.audit.text_look import is_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.report.audit.elements import Element
    from healthcare_deid.report.audit.promise import Promise

_UID = re.compile(r"[0-2](?:\.\d+){4,}")
_NUMBERS = frozenset({"DS", "IS", "TM", "AS", *DATE_VRS})
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_LONGEST_STREAM = 1 << 24
_SHORTEST_NAME = 3
_PLACEHOLDER_DATES = (b"19000101", b"19000101000000")
_SKIPPED = {
    ProfileOption.RETAIN_INSTITUTION_IDENTITY: frozenset({ValueKind.ORGANIZATION, ValueKind.PLACE}),
    ProfileOption.RETAIN_LONGITUDINAL_FULL_DATES: frozenset({ValueKind.DATE}),
}
"""Kinds of values that an option of the Basic Profile keeps; they are not residues."""


@dataclass(frozen=True)
class Original:
    """Identifying values of one original.

    Attributes:
        values: Identifying values of the header.
        uids: All its UIDs except those registered by the standard, and those that name a class or a coding scheme.
    """

    values: frozenset[OwnValue] = field(repr=False)
    uids: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, dataset: Dataset) -> Original:
        """Return the identity of an original."""
        sources = own_sources()
        values: set[OwnValue] = set()
        uids: set[str] = set()
        for element in elements_of(dataset):
            if element.tag in sources and element.value not in _PLACEHOLDER_DATES:
                values.add(OwnValue(sources[element.tag], element.value, tuple(element.encodings)))
            if element.vr == "UI" and element.tag not in CLASS_TAGS:
                uids.update(uid_text(part) for part in element.value.split(b"\\"))
        # A zero in the place of a UID names nothing.
        named = frozenset(uid for uid in uids if "." in uid and not UidMapper.is_registered(uid))
        return cls(frozenset(values), named)

    def __or__(self, other: Original) -> Original:
        return Original(self.values | other.values, self.uids | other.uids)


@dataclass
class Originals:
    """Originals by the UIDs that their results may have.

    A result without a known original is searched for the terms of all.

    Attributes:
        by_uid: Originals, by their SOP Instance UID and by its successor under Google's rule.
        others: Originals without one, and the names of source files.
        read_files: Number of originals.
        read_names: Number of names of source files.
    """

    by_uid: dict[str, Original] = field(default_factory=dict[str, Original], repr=False)
    others: list[Original] = field(default_factory=list[Original], repr=False)
    read_files: int = 0
    read_names: int = 0
    _terms: dict[frozenset[OwnValue], OwnTerms] = field(default_factory=dict[frozenset[OwnValue], OwnTerms], repr=False)

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Originals:
        """Read originals. Files that are not DICOM are ignored."""
        found = cls()
        found.add_files(paths)
        return found

    def add_files(self, paths: Iterable[Path]) -> None:
        """Add originals. Files that are not DICOM are ignored."""
        for path in paths:
            try:
                dataset, _ = guarded(partial(read, path))
            except EngineError:
                continue
            self.add(dataset)

    def __len__(self) -> int:
        return self.read_files + self.read_names

    @quiet()  # pydicom's warnings quote values
    def add(self, dataset: Dataset) -> None:
        """Add one original."""
        self.read_files += 1
        original, uid = Original.of(dataset), str(dataset.get("SOPInstanceUID", "") or "")
        if not uid:
            self.others.append(original)
            return
        self.by_uid[uid] = self.by_uid[UidMapper().map(uid)] = original

    def add_names(self, names: Iterable[str]) -> None:
        """Add the names of source files and folders, which often contain patients' names."""
        values: set[OwnValue] = set()
        uids: set[str] = set()
        for name in names:
            self.read_names += 1
            uids.update(_UID.findall(name))
            for part in Path(_UID.sub("", name)).with_suffix("").parts:
                # Words of the field and of every day name files, not patients: no_meta_group_length, SC_rgb.
                words = [word for word in part.replace("_", " ").split() if _may_name_someone(word)]
                encoded = " ".join(words).encode()
                if words:
                    values.add(OwnValue(ValueKind.NAME, encoded, ("utf_8",)))
                if any(letter.isdigit() for letter in part):
                    values.add(OwnValue(ValueKind.RECORD, encoded, ("utf_8",)))
        self.others.append(Original(frozenset(values), frozenset(uids)))

    def of(self, dataset: Dataset) -> Original:
        """Return the original of a result, or all originals merged into one."""
        known = self.by_uid.get(str(dataset.get("SOPInstanceUID", "") or ""))
        every = Original(frozenset(), frozenset())
        for original in [known] if known is not None else {id(item): item for item in self.by_uid.values()}.values():
            every |= original
        for original in self.others:
            every |= original
        return every

    def terms(self, values: frozenset[OwnValue]) -> OwnTerms:
        """Return the search for an original; created once per patient."""
        found = self._terms.get(values)
        if found is None:
            found = self._terms[values] = OwnTerms(sorted(values, key=repr))
        return found


def _may_name_someone(word: str) -> bool:
    """Return whether a word of a file's name may be part of a person's."""
    folded = fold(word)
    is_name = len(folded) >= _SHORTEST_NAME and folded in first_names() | surnames()
    return is_name or folded not in vocabulary() | everyday()


@dataclass(frozen=True)
class Search:
    """Search terms of an original, without those that the promise keeps.

    Attributes:
        terms: Terms to search for.
        uids: UIDs that must not stay.
        promise: The rules.
    """

    terms: OwnTerms
    uids: frozenset[str] = field(repr=False)
    promise: Promise

    @classmethod
    def for_result(cls, dataset: Dataset, originals: Originals, promise: Promise) -> Search:
        """Return the search for a result."""
        original = originals.of(dataset)
        left: set[ValueKind] = set()
        for option, sources in _SKIPPED.items():
            if option in promise.options:
                left |= sources
        values = frozenset(value for value in original.values if value.source not in left)
        uids = frozenset[str]() if ProfileOption.RETAIN_UIDS in promise.options else original.uids
        return cls(originals.terms(values), uids, promise)

    @cached_property
    def severity(self) -> Severity:
        """Severity of a finding."""
        promised = self.promise.binding and self.promise.removes_identity
        return Severity.ERROR if promised else Severity.WARNING

    def residues(self, elements: Mapping[str, Element]) -> Iterator[Residual]:
        """Yield every element that contains a term of the original."""
        for element in elements.values():
            why = self._why(element)
            if why:
                severity = self.severity
                if self._is_a_term(element):
                    severity, why = (
                        Severity.WARNING,
                        "a code that is a word of the field and a name of the original",
                    )
                shape = shape_of(element.texts()[0] if element.texts() else element.value)
                yield Residual(severity, Residue.ORIGINAL, element.names, element.name, shape, why)

    def _is_a_term(self, element: Element) -> bool:
        """Return whether a code says what it would say of anybody, although the patient is called that too."""
        if element.vr != "CS" and element.tag not in CODE_TAGS:
            return False
        found = [text for text in element.texts() if self.terms.find(text)]
        return bool(found) and all(self.terms.is_everyday(text.encode("latin-1", "replace")) for text in found)

    def _why(self, element: Element) -> str:
        value = element.value
        if element.vr == "UI":
            parts = {uid_text(part) for part in value.split(b"\\")}
            return "a UID of the original" if parts & self.uids else ""
        if element.vr in _NUMBERS:
            return "a number or date of the original" if self.terms.is_whole(value) else ""
        if is_binary(element):
            pieces = [value, *_inflated(value)] if element.tag == ENCAPSULATED_DOCUMENT else [value]
            return "a name or number of the original" if any(map(self.terms.is_in_bytes, pieces)) else ""
        texts = element.texts()
        if any(uid in text for text in texts for uid in _UID.findall(text) if uid in self.uids):
            return "a UID of the original"
        found = any(self.terms.find(text) for text in texts) or self.terms.bytes_are_in_pieces((value,))
        return "a name, number or date of the original" if found else ""


def _inflated(document: bytes) -> Iterator[bytes]:
    """Yield the decompressed streams of a PDF."""
    for stream in _STREAM.findall(document):
        try:
            yield zlib.decompressobj().decompress(stream, _LONGEST_STREAM)
        except zlib.error:
            continue
