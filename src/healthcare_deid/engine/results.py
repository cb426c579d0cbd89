"""Results of the engine, for reports, tests and the emulator's counters. They hold no PHI."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, fields
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from healthcare_deid._border import border
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.geometry import Box


class ChangeAction(StrEnum):
    """Kind of change to a data element."""

    REMOVED = "removed"
    """The element is gone."""
    EMPTIED = "emptied"
    """The element stays, with no value."""
    REPLACED = "replaced"
    """A fixed dummy value of the right VR."""
    REGENERATED = "regenerated"
    """A UID was replaced by its regenerated one."""
    TRANSFORMED = "transformed"
    """Sensitive text in the value was redacted, masked, shifted, hashed or replaced."""
    ADDED = "added"
    """An element that was not there: a de-identification marker."""
    PIXELS_REDACTED = "pixels-redacted"
    """Regions of the pixel data were covered."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change to one data element; never its value.

    Attributes:
        path: Where: 8-hex tags joined by ``/``, items in brackets: ``00081140[0]/00081155``. File meta elements too.
        keyword: The element's keyword; empty for private and unknown tags.
        vr: Its value representation.
        action: What was done.
        rule: What caused it, such as ``"profile:MINIMAL_KEEP_LIST_PROFILE"``, ``"keepList"`` or
            ``"infoType:PERSON_NAME"``.
        length: Length of the old value in bytes, as encoded or as near as is cheap to know; 0 when there was none.
    """

    path: str
    keyword: str
    vr: str
    action: ChangeAction
    rule: str
    length: int = 0


@dataclass(frozen=True, slots=True)
class Redaction:
    """One rectangle that was covered.

    Attributes:
        frame: Frame index, from 0.
        x: Left column, from 0.
        y: Top row, from 0.
        width: Columns covered.
        height: Rows covered.
        rule: Why: ``"all-text"``, ``"infoType:PERSON_NAME"``, ``"regex:0"``, ``"unreadable"``.
        confidence: The detector's score, 0 to 1.
        path: The pixel data element, ``7FE00010`` or a path into a sequence.
    """

    frame: int
    x: int
    y: int
    width: int
    height: int
    rule: str
    confidence: float
    path: str = "7FE00010"


PictureKind = Literal["image", "icon", "overlay", "private", "nested"]
PictureState = Literal["looked", "masked", "removed"]


@dataclass(frozen=True, slots=True)
class PictureLook:
    """What became of one element that holds pictures.

    Attributes:
        path: The element, ``7FE00010`` or a path into a sequence.
        kind: ``"image"``, the instance's own; ``"icon"``, ``"overlay"``, ``"private"``; ``"nested"`` for any other that
            is in a sequence.
        state: ``"looked"``: text was looked for in every frame; ``"masked"``: it was not, regions of a known device
            were covered instead; ``"removed"``: the picture could not be looked at, and is not in the result.
        frames: Its frames; 0 when they could not be told apart.
        lines: Lines of text and codes found in them, whether covered or not.
        still_read: Lines that the second OCR reads in the result, of those that were to be covered; None where no
            second OCR was asked for.
    """

    path: str
    kind: PictureKind
    state: PictureState
    frames: int
    lines: int = 0
    still_read: int | None = None


@dataclass(frozen=True, slots=True)
class ReadText:
    """Text read in a box. It is PHI, and only made when `PixelRedactor` is asked to ``keep_text``."""

    path: str
    frame: int
    box: Box
    text: str = field(repr=False)
    confidence: float


@dataclass(frozen=True, slots=True)
class PixelReport:
    """Changes to an instance's pixels.

    Attributes:
        redactions: Every rectangle covered, by element and frame.
        changes: The elements that were replaced.
        warnings: What a person should know; no values.
        texts: What was read, PHI included; empty unless it was asked for.
        all_text_covered: Whether all text was to be covered, and every frame, plane and icon was looked at for text
            and for codes. No detector finds everything: it says what was done, not that nothing is left.
        pictures: How many pixel data elements were looked at, icons and overlays included.
        masks_alone: Whether nobody looked at the image itself, because masks covered regions of it.
        looks: What became of every pixel data element.
    """

    redactions: tuple[Redaction, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    texts: tuple[ReadText, ...] = ()
    all_text_covered: bool = False
    pictures: int = 0
    masks_alone: bool = False
    looks: tuple[PictureLook, ...] = ()


def _told(
    kind: type[Change | Redaction | PictureLook], items: Iterable[Change | Redaction | PictureLook]
) -> list[dict[str, Any]]:
    """Return values as JSON says them; `dataclasses.asdict`, which copies deeply, takes ten times as long."""
    names = [field.name for field in fields(kind)]
    values = attrgetter(*names)
    return [dict(zip(names, values(item), strict=True)) for item in items]


def _listed(items: list[Any]) -> dict[str, Any]:
    """Return a list as a record defines it: with the id that its content gives it."""
    return {"id": hashlib.sha256(_json(items).encode()).hexdigest()[:16], "list": items}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))  # in ASCII: file names need not be text


class DeidentifyResult:
    """One instance, de-identified.

    Attributes:
        redactions: Every rectangle covered in pixels.
        warnings: What a person should know; no values.
        kept: How many data elements, nested ones included, are as they were.
        looks: What became of every element that holds pictures; nothing where pixels are not touched.
        creators: Tags of the source's private creators, each followed by the creator if it is a maker's, or one that
            ``safe_private`` names: ``"00090010 GEMS_IDEN_01"``. Those in sequences that go as a whole are not told.
    """

    def __init__(
        self,
        dataset: Dataset | Callable[[], Dataset],
        changes: Iterable[Change] | Callable[[], Iterable[Change]] = (),
        redactions: Iterable[Redaction] = (),
        warnings: Iterable[str] = (),
        kept: int = 0,
        stayed: Iterable[int] = (),
        looks: Iterable[PictureLook] = (),
        creators: Iterable[str] = (),
        *,
        signature: Callable[[], object] | None = None,
    ) -> None:
        self._signature = signature
        self._dataset = dataset
        self._changes = changes
        self.redactions = tuple(redactions)
        self.warnings = tuple(warnings)
        self.kept = kept
        self._stayed = stayed
        self.looks = tuple(looks)
        self.creators = tuple(creators)

    def __reduce__(self) -> tuple[Any, ...]:
        told = (self.redactions, self.warnings, self.kept, self._stayed, self.looks, self.creators)
        return type(self), (self.dataset, self.changes, *told)

    @property
    def still_read(self) -> int | None:
        """Lines that the second OCR reads in the result; None where it did not look."""
        counts = [look.still_read for look in self.looks if look.still_read is not None]
        return sum(counts) if counts else None

    def signature(self) -> object | None:
        """Return a value that is equal, within this process, only for results with equal changes and kept tags.

        It is None where there is no such value.
        """
        return self._signature() if self._signature is not None else None

    def record(self, name: str, source: str, size: int) -> str:
        """Return the line of JSON that a run's record has for its first result, without a line break.

        Args:
            name: What the result is called, relative to the folder of results.
            source: SHA-256 of its source.
            size: Its bytes.
        """
        line: dict[str, Any] = {
            "result": name,
            "source": source,
            "size": size,
            "kept": self.kept,
            "looks": _told(PictureLook, self.looks),
            "redactions": _told(Redaction, self.redactions),
            "changes": _listed(_told(Change, self.changes)),
            "warnings": _listed(list(self.warnings)),
            "keptTags": _listed(list(self.kept_tags)),
            "creators": _listed(list(self.creators)),
        }
        return _json(line)

    def __repr__(self) -> str:
        return f"DeidentifyResult(redactions={len(self.redactions)}, warnings={len(self.warnings)}, kept={self.kept})"

    @property
    @border
    def dataset(self) -> Dataset:
        """The new dataset, with its ``file_meta``; of a file, read from the destination when first asked for."""
        if callable(self._dataset):
            self._dataset = guarded(self._dataset)
        return self._dataset

    @property
    @border
    def changes(self) -> tuple[Change, ...]:
        """Every change to a data element; worked out when first asked for."""
        if not isinstance(self._changes, tuple):
            told = self._changes
            self._changes = guarded(lambda: tuple(told() if callable(told) else told))
        return self._changes

    @property
    def kept_tags(self) -> tuple[str, ...]:
        """Tags, as eight hexadecimal digits, of attributes that are in the result as they were, with a value."""
        return tuple(f"{tag:08X}" for tag in sorted(set(self._stayed)))


class BytesResult:
    """One encoded instance, de-identified in memory.

    Attributes:
        data: The result, as the bytes of a DICOM file.
        name: ``study/series/instance.dcm``, by its new UIDs: what a run over a folder calls it; None for a DICOMDIR,
            which such a run leaves out.
        redactions: Every rectangle covered in pixels.
        warnings: What a person should know; no values.
        looks: What became of every element that holds pictures; nothing where pixels are not touched.
    """

    def __init__(
        self,
        data: bytes,
        name: str | None,
        record: str | Callable[[], str],
        redactions: Iterable[Redaction] = (),
        warnings: Iterable[str] = (),
        looks: Iterable[PictureLook] = (),
    ) -> None:
        self.data = data
        self.name = name
        self._record = record
        self.redactions = tuple(redactions)
        self.warnings = tuple(warnings)
        self.looks = tuple(looks)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.data, self.name, self.record, self.redactions, self.warnings, self.looks)

    def __repr__(self) -> str:
        return f"BytesResult(bytes={len(self.data)}, redactions={len(self.redactions)}, warnings={len(self.warnings)})"

    @property
    @border
    def record(self) -> str:
        """The line of JSON for a run's record, worked out when first asked for; empty for a DICOMDIR."""
        if callable(self._record):
            self._record = guarded(self._record)
        return self._record


@dataclass(frozen=True, slots=True)
class Failure:
    """One instance that was not de-identified, and why. Its `repr` does not name it: a path can hold a patient's name.

    Attributes:
        path: The file, relative to the folder that was asked for; empty where there was none.
        reason: A short, stable word, such as ``"not-dicom"``.
        text: The same for a person, with the remedy; no values.
        sha256: Of the file, by which a run folder calls it; empty where it could not be read.
    """

    path: str = field(repr=False)
    reason: str
    text: str
    sha256: str = field(default="", repr=False)

    @classmethod
    def of(cls, path: str, error: EngineError | OSError | MemoryError) -> Failure:
        """Return the failure that an error of the engine means."""
        if isinstance(error, EngineError):
            return cls(path, error.reason, str(error))
        if isinstance(error, MemoryError):
            return cls(path, "out-of-memory", "there is not enough memory for this file")
        return cls(path, "io-error", f"{type(error).__name__}: {os.strerror(error.errno or 0)}")


@dataclass(frozen=True, slots=True)
class TreeProgress:
    """How far a run is.

    Attributes:
        total: Files there are; None for an archive, which would have to be read to its end first.
        succeeded: Results written.
        failed: Files that could not be de-identified.
        skipped: Files whose result is there, of an earlier run.
        duplicates: Files whose bytes had been seen.
        ignored: Files that are passed over.
        refused: Files that a rule of the run keeps back.
    """

    total: int | None
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    duplicates: int = 0
    ignored: int = 0
    refused: int = 0

    @property
    def done(self) -> int:
        """Files dealt with."""
        return self.succeeded + self.failed + self.skipped + self.duplicates + self.ignored + self.refused

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.done}{of} files, {self.failed} failed"


@dataclass(frozen=True, slots=True)
class TreeReport:
    """Report of a folder. Its `repr` holds counts only.

    Attributes:
        found: DICOM files there were: ``succeeded + duplicates + skipped + failed + refused``.
        succeeded: Results written.
        duplicates: Files whose bytes had been seen in this run: one result is for all of them.
        skipped: Files whose result is there, of an earlier run.
        ignored: Files that were passed over: no DICOM.
        failed: Files that could not be de-identified; nothing was written for them.
        failures: Name and reason of each failed file.
        warnings: How often each warning came up.
        passed_over: How many files were ignored, by why.
        still_read: Lines that the second OCR reads in the results written; None where it looked at none.
        run: The run folder, or None.
        refused: Files that a rule of the run (``admit``) keeps back; nothing was written for them.
        refused_by: How many files were refused, by the rule's name.
        warned: Names of files whose results have each warning, those of an earlier run too: at most 20.
        unmatched: Entries of ``safe_private`` that fit no element of any result, those of an earlier run included. A
            creator may be misspelled.
    """

    found: int = 0
    succeeded: int = 0
    duplicates: int = 0
    skipped: int = 0
    ignored: int = 0
    failed: int = 0
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    warnings: dict[str, int] = field(default_factory=dict[str, int])
    passed_over: dict[str, int] = field(default_factory=dict[str, int])
    still_read: int | None = None
    run: Path | None = field(default=None, repr=False)
    refused: int = 0
    refused_by: dict[str, int] = field(default_factory=dict[str, int])
    warned: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], repr=False)
    unmatched: tuple[str, ...] = ()
