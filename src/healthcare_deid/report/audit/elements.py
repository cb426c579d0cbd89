"""Encoded elements of an instance, at every depth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.datadict import keyword_for_tag

from healthcare_deid.engine.dicom.charsets import encodings_of, read_text
from healthcare_deid.engine.dicom.datasets import value_bytes
from healthcare_deid.engine.dicom.elements import effective_vr, is_private
from healthcare_deid.engine.header.dataset_executor import SPECIFIC_CHARACTER_SET, creator_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_PIXELS = 0x7FE0
_ONE_VALUE = frozenset({"LT", "ST", "UT", "UR", "UN", "OB"})


class Element(NamedTuple):
    """Element that is neither a sequence nor pixel data.

    Attributes:
        path: 8-hex tags joined by ``/``, items in brackets, as in the engine's records.
        names: The same path in keywords.
        tag: Its tag.
        vr: Its VR; for UN, the VR in the dictionary.
        value: Encoded value.
        encodings: Python encodings of the character set that applies to it.
    """

    path: str
    names: str
    tag: int
    vr: str
    value: bytes
    encodings: tuple[str, ...]

    @property
    def name(self) -> str:
        """Last part of its path."""
        return self.names.rpartition("/")[2]

    def texts(self) -> list[str]:
        """Return its values as text; empty if no likely character set can decode them."""
        reading = read_text(self.value, self.vr, self.encodings)
        if reading.text is None:
            return []
        parts = [reading.text] if self.vr in _ONE_VALUE else reading.text.split("\\")
        return [part.strip(" \0") for part in parts if part.strip(" \0")]


def elements_of(dataset: Dataset, *, meta: bool = True) -> Iterator[Element]:
    """Yield every element with a value: file meta, then the dataset in order, with items in place."""
    information: Dataset | None = getattr(dataset, "file_meta", None)
    if meta and information is not None:
        yield from _walk(information, "", "", ("iso8859",))
    yield from _walk(dataset, "", "", ("iso8859",))


def name_of(tag: int) -> str:
    """Return an element's keyword, or ``(gggg,eeee)`` if it has none."""
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _walk(dataset: Dataset, path: str, names: str, encodings: tuple[str, ...]) -> Iterator[Element]:
    if SPECIFIC_CHARACTER_SET in dataset:
        encodings = encodings_of(value_bytes(dataset.get_item(SPECIFIC_CHARACTER_SET)))
    for key in sorted(dataset.keys()):
        tag = int(key)
        if tag >> 16 == _PIXELS:
            continue
        item: Any = dataset.get_item(key)
        creator = creator_in(dataset, tag) if is_private(tag) else ""
        vr = effective_vr(tag, item.VR, partial(str, creator))
        here, named = f"{path}{tag:08X}", f"{names}{name_of(tag)}"
        if vr == "SQ" or dataset[key].VR == "SQ":
            for index, inner in enumerate(dataset[key].value or ()):
                yield from _walk(inner, f"{here}[{index}]/", f"{named}[{index}]/", encodings)
            continue
        value = value_bytes(item, encodings)
        if value.strip(b"\0 "):
            yield Element(here, named, tag, vr, value, encodings)
