"""Gate of a run: applies the admission rules to an instance's header."""

from __future__ import annotations

from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, assert_never

from pydicom.dataelem import RawDataElement

from healthcare_deid.config.tags import tag_number
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.charsets import encodings_of, read_text
from healthcare_deid.engine.dicom.datasets import value_bytes
from healthcare_deid.engine.dicom.elements import effective_vr
from healthcare_deid.engine.dicom.file_meta import MEDIA_STORAGE_SOP_CLASS_UID
from healthcare_deid.engine.dicom.uids import uid_text
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.lookup import ElementFinder
from healthcare_deid.engine.runs.admission import (
    BURNED_IN,
    COLUMNS,
    CONVERSION_TYPE,
    FRAMES,
    IMAGE_TYPE,
    MODALITY,
    NOT_ADMITTED,
    ROWS,
    SOP_CLASS,
    UNREADABLE,
)
from healthcare_deid.engine.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.dicom.sources import Source
    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.runs.admission import Admission, AdmissionRule, Bounds, InstanceKind

_CHARSET = 0x00080005
_ALWAYS_THERE = frozenset({SOP_CLASS, MODALITY})
"""Attributes that every instance must have (PS3.3 sections C.12.1 and C.7.3.1); without them a rule cannot be
evaluated."""
_BURNED_IN_WORDS = {"YES": "yes", "NO": "no", "": "absent"}
_STORAGE = "1.2.840.10008.5.1.4.1.1"
"""Prefix of all storage SOP Classes (PS3.6 table A-1). SOP Classes of one kind share the next component."""
_SECONDARY_CAPTURE, _PRESENTATION_STATE = f"{_STORAGE}.7", f"{_STORAGE}.11"
_REPORT, _DOCUMENT = f"{_STORAGE}.88", f"{_STORAGE}.104"
_RAW_DATA = f"{_STORAGE}.66"
_U16 = Struct("<H")


class _Unreadable(Exception):  # noqa: N818 - an answer, caught below
    """Value that cannot be interpreted."""


class Gate:
    """Decides which instances may leave. It can be pickled.

    Args:
        admission: The rules.
    """

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._begin()

    def _begin(self) -> None:
        rules = (*self._admission.refuse, *self._admission.admit)
        self._tags: frozenset[int] = frozenset().union(*(rule.tags for rule in rules))
        # An attribute out of order must not be mistaken for an absent one.
        self._wanted = ElementFinder(self._tags | {_CHARSET}, to_the_end=True)

    def __reduce__(self) -> tuple[type[Gate], tuple[Admission]]:
        return type(self), (self._admission,)

    def refusal(self, source: Source, file: EncodedFile | None) -> str | None:
        """Return the name of the rule that refuses an instance, or None if it may leave.

        Args:
            source: The instance.
            file: The same, as the encoded executor reads it; None if that does not support its form.

        Raises:
            InvalidDicomError: It is not DICOM, or ends in its header.
            OSError: It cannot be read.
        """
        if source.size == 0:
            return None  # not an instance: reported elsewhere
        try:
            header = _Header(self._elements(source, file), source.size)
            header.check(self._tags)
            for rule in self._admission.refuse:
                if header.meets(rule):
                    return rule.name
            admitted = not self._admission.admit or any(header.meets(rule) for rule in self._admission.admit)
        except _Unreadable:
            return UNREADABLE
        return None if admitted else NOT_ADMITTED

    def _elements(self, source: Source, file: EncodedFile | None) -> dict[int, tuple[str, bytes]]:
        """Return VR and value of the attributes that the rules refer to."""
        found: dict[int, tuple[str, bytes]] | None = None
        of_meta = ""
        if file is not None:
            with suppress(UseDatasetExecutor), quiet():
                found = {tag: (code.decode("ascii"), value) for tag, (code, value) in self._wanted.find(file).items()}
                of_meta = file.meta.uid(MEDIA_STORAGE_SOP_CLASS_UID)
        if found is None:
            dataset, _ = files.read_source(source)
            found = {tag: _element(dataset, tag) for tag in (*self._tags, _CHARSET) if tag in dataset}
            of_meta = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
        if not found.get(SOP_CLASS, ("", b""))[1].strip(b"\0 ") and of_meta:
            found[SOP_CLASS] = ("UI", of_meta.encode("ascii", "replace"))
        return found


class _Header:
    """Attributes of one instance that the rules refer to."""

    def __init__(self, elements: Mapping[int, tuple[str, bytes]], size: int) -> None:
        self._elements = elements
        self._size = size
        self._encodings = encodings_of(elements.get(_CHARSET, ("", b""))[1])

    def check(self, tags: frozenset[int]) -> None:
        """Read every attribute that the rules refer to.

        An unreadable one is then found whatever the order of conditions.

        Raises:
            _Unreadable: A value cannot be interpreted, or a required one is missing.
        """
        for tag in tags:
            if tag in (ROWS, COLUMNS):
                self._number(tag)
            elif tag == FRAMES:
                self._frames()
            elif not any(self._texts(tag)) and tag in _ALWAYS_THERE:
                raise _Unreadable
        if BURNED_IN in tags:
            self._burned_in()

    def meets(self, rule: AdmissionRule) -> bool:
        """Return whether the instance meets all conditions of a rule."""
        return (
            (rule.sop_class is None or self._sop_class in rule.sop_class)
            and (rule.kind is None or any(map(self._is_of, rule.kind)))
            and (rule.modality is None or self._has(MODALITY, rule.modality))
            and (rule.image_type is None or self._has(IMAGE_TYPE, rule.image_type))
            and (rule.burned_in is None or self._burned_in() in rule.burned_in)
            and (rule.size is None or _is_within(self._size, rule.size))
            and (rule.rows is None or _is_within(self._number(ROWS), rule.rows))
            and (rule.columns is None or _is_within(self._number(COLUMNS), rule.columns))
            and (rule.frames is None or _is_within(self._frames(), rule.frames))
            and all(self._has(tag_number(tag), words) for tag, words in (rule.equals or {}).items())
            and all(self._contains(tag_number(tag), words) for tag, words in (rule.contains or {}).items())
            and not any(any(self._texts(tag_number(tag))) for tag in rule.absent or ())
        )

    @property
    def _sop_class(self) -> str:
        return uid_text(self._elements[SOP_CLASS][1])

    def _is_of(self, kind: InstanceKind) -> bool:
        match kind:
            case "secondary-capture":
                return self._is_below(_SECONDARY_CAPTURE) or any(self._texts(CONVERSION_TYPE))
            case "document":
                return self._is_below(_DOCUMENT)
            case "report":
                return self._is_below(_REPORT)
            case "presentation-state":
                return self._is_below(_PRESENTATION_STATE)
            case "raw-data":
                return self._sop_class == _RAW_DATA
            case _:
                assert_never(kind)

    def _is_below(self, root: str) -> bool:
        return f"{self._sop_class}.".startswith(f"{root}.")

    def _has(self, tag: int, words: Sequence[str]) -> bool:
        texts = self._texts(tag)
        return any(word.casefold() in texts for word in words)

    def _contains(self, tag: int, words: Sequence[str]) -> bool:
        text = "\\".join(self._texts(tag))
        return any(word.casefold() in text for word in words)

    def _burned_in(self) -> str:
        texts = self._texts(BURNED_IN) or [""]
        word = _BURNED_IN_WORDS.get(texts[0].upper())
        if word is None or len(texts) > 1:
            raise _Unreadable
        return word

    def _frames(self) -> int | None:
        texts = self._texts(FRAMES)
        if not any(texts):
            return None if self._number(ROWS) is None else 1
        if len(texts) > 1 or not texts[0].removeprefix("+").isdecimal():
            raise _Unreadable
        return int(texts[0])

    def _number(self, tag: int) -> int | None:
        """Return a US value, or None if it is absent."""
        vr, value = self._elements.get(tag, ("", b""))
        if not value:
            return None
        if effective_vr(tag, vr, str) != "US" or len(value) != _U16.size:
            raise _Unreadable
        number: int = _U16.unpack(value)[0]
        return number

    def _texts(self, tag: int) -> list[str]:
        """Return the values of an attribute in lower case, without padding."""
        vr, value = self._elements.get(tag, ("", b""))
        if not value.strip(b"\0 "):
            return []
        text = read_text(value, effective_vr(tag, vr, str), self._encodings).text
        if text is None:
            raise _Unreadable
        return [part.strip("\0 ").casefold() for part in text.split("\\")]


def _element(dataset: Dataset, tag: int) -> tuple[str, bytes]:
    """Return VR and value of an element, in little endian."""
    element = dataset.get_item(tag)
    value = value_bytes(element)
    if isinstance(element, RawDataElement) and not element.is_little_endian and tag in (ROWS, COLUMNS):
        value = value[::-1]
    return str(element.VR or ""), value


def _is_within(number: int | None, limits: Bounds) -> bool:
    if number is None:
        return False
    return (limits.min is None or number >= limits.min) and (limits.max is None or number <= limits.max)
