"""Search for some top-level elements of a file without parsing the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.encoding import UNDEFINED, ElementHeader, Malformed, Short, element_header, truncated
from healthcare_deid.engine.dicom.uids import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    uid_text,
)
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.run_cache import LONGEST, Run, Runs

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile

_LARGE = 1 << 20
_ANY_TAG = 0xFFFFFFFF
_SOP_CLASS_UID = 0x00080016

Found = dict[int, tuple[bytes, bytes]]
"""Written VR (empty if implicit) and value, by tag."""


@dataclass(slots=True)
class _SeenRun(Run):
    """A run of elements, and the wanted ones among them."""

    found: Found


class ElementFinder:
    """Finder of some top-level elements in files.

    Args:
        tags: Tags of the elements.
        to_the_end: Whether to look behind the place where the last tag belongs, for files that are not in tag order.
    """

    def __init__(self, tags: Collection[int], *, to_the_end: bool = False) -> None:
        self._tags = frozenset(tags)
        self._last = _ANY_TAG if to_the_end else max(tags)
        self._runs: dict[bool, Runs[_SeenRun]] = {False: Runs(), True: Runs()}

    def find(self, file: EncodedFile) -> Found:
        """Return the wanted elements that a file has.

        Raises:
            UseDatasetExecutor: A wanted element is too large for the cache.
            InvalidDicomError: The file ends inside an element.
        """
        found: Found = {}
        explicit, window, runs = file.explicit, file.window, self._runs[file.explicit]
        position, last = file.meta.end, 0
        begin: tuple[int, int] | None = None
        while position + 8 <= file.size:
            run = runs.after.get(last)
            if run is not None:
                self._learn(file, begin, position, last, found)
                begin = None
                if window.startswith(run.data, position):
                    run.came_again = True
                    found |= run.found
                    position, last = position + len(run.data), run.last
                    continue
            tag, code, size, length = _header(file.slice(position, 12), 0, explicit=explicit)
            # Elements are in tag order (PS3.5 section 7.1), so nothing wanted follows.
            if tag > self._last:
                break
            value = position + size
            after = file.end_of_undefined(value, code) if length == UNDEFINED else value + length
            if tag in runs.apart or length == UNDEFINED or after - position > LONGEST or tag <= last:
                self._learn(file, begin, position, last, found)
                begin = None
            elif begin is None:
                begin = position, last
            if tag in self._tags:
                if after - value > _LARGE:
                    raise UseDatasetExecutor
                end = after - 8 if length == UNDEFINED else after
                found[tag] = (code, file.slice(value, end - value))
            position, last = after, tag
        self._learn(file, begin, position, last, found)
        return found

    def _learn(self, file: EncodedFile, begin: tuple[int, int] | None, end: int, last: int, found: Found) -> None:
        if begin is None or end > len(file.window):
            return
        position, tag = begin
        of_run = {wanted: element for wanted, element in found.items() if tag < wanted <= last}
        run = _SeenRun(file.window[position:end], last, of_run)
        self._runs[file.explicit].learn(tag, run, partial(_elements, explicit=file.explicit))


IDENTITY = ElementFinder((_SOP_CLASS_UID, SOP_INSTANCE_UID))
"""Elements that the file meta information repeats."""
OWN_UIDS = ElementFinder((SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID))
"""UIDs of the instance, its series and its study."""


def own_uids(file: EncodedFile) -> frozenset[str]:
    """Return the instance's own study, series and instance UIDs."""
    found = OWN_UIDS.find(file)
    of_meta = file.meta.uid(MEDIA_STORAGE_SOP_INSTANCE_UID)
    return frozenset({of_meta, *(uid_text(value) for _, value in found.values())} - {""})


def _elements(run: _SeenRun, *, explicit: bool) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position < len(run.data):
        tag, _, size, length = _header(run.data, position, explicit=explicit)
        after = position + size + length
        found[tag] = run.data[position:after]
        position = after
    return found


def _header(data: bytes, position: int, *, explicit: bool) -> ElementHeader:
    try:
        return element_header(data, position, explicit=explicit)
    except Malformed:
        raise UseDatasetExecutor from None
    except Short:
        raise truncated() from None
