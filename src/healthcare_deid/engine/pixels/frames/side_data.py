"""Data beside the pixels: side data inside frames, and bytes after the last frame."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from healthcare_deid.engine.dicom.fragments import is_encapsulated
from healthcare_deid.engine.dicom.long_values import BytesStorage, storage_of
from healthcare_deid.engine.dicom.sidedata import (
    CONTRADICTION,
    EXCESS,
    EXCESS_RULE,
    RULE,
    UNREAD,
    Splice,
    Spliced,
    changes_of,
    find_side_data,
    pieces_of,
)
from healthcare_deid.engine.dicom.sidedata.deflated import native_size
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native
from healthcare_deid.engine.header.soundness import is_text
from healthcare_deid.engine.pixels.frames.layout import pixel_layout
from healthcare_deid.engine.pixels.frames.native import NativeFrames
from healthcare_deid.engine.pixels.frames.targets import (
    PIXEL_DATA,
    PIXEL_TAGS,
    Target,
    owned_item,
    remove_unreadable,
    targets,
)
from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.engine.dicom.long_values import Storage

SHORT = "the pixel data is shorter than its attributes say"
_IMAGE_GROUP = 0x0028
_CHUNK = 1 << 16
_NATIVE_VRS = {0x7FE00008: "OF", 0x7FE00009: "OD", PIXEL_DATA: "OW"}
"""VRs of elements read without one, as in Implicit VR (PS3.5 A.1)."""
_TABLES = (0x7FE00001, 0x7FE00002)
"""Extended Offset Table, Extended Offset Table Lengths."""


def strip_side_data(
    dataset: Dataset, syntax: str, *, removed: Callable[[int], bool] = lambda _: False
) -> tuple[list[Change], list[str]]:
    """Remove data that decoding does not need from compressed frames, and data after the last native frame.

    Args:
        dataset: A private copy. Elements are replaced, never modified in place.
        syntax: Its transfer syntax.
        removed: Returns True for top-level tags that will not be in the result.

    Returns:
        The changes, and warnings.

    Raises:
        UnsupportedPixelsError: The structure of a frame cannot be parsed, so it may hold anything.
    """
    changes: list[Change] = []
    warnings: list[str] = []
    if is_native(syntax):
        for target in list(targets(dataset, removed)):
            if target.tag in PIXEL_TAGS and target.readable:
                _cut(dataset, target, changes, warnings)
        return changes, list(dict.fromkeys(warnings))
    for target in list(targets(dataset, removed)):
        if target.tag != PIXEL_DATA:
            continue
        try:
            _strip(dataset, target, syntax, changes, warnings)
        except UnsupportedPixelsError:
            if not target.is_private:
                raise
            change, warning = remove_unreadable(dataset, target)
            changes.append(change)
            warnings.append(warning)
    return changes, list(dict.fromkeys(warnings))


def _strip(dataset: Dataset, target: Target, syntax: str, changes: list[Change], warnings: list[str]) -> None:
    element = target.dataset[target.tag]
    storage = storage_of(element.value)
    if not element.is_undefined_length and not is_encapsulated(storage):
        if target.is_image:
            warnings.append(UNREAD)
        return
    item = target.dataset
    tables: Any = tuple(item.get(tag).value if tag in item else None for tag in _TABLES)
    pixels = _number(item, "Rows") * _number(item, "Columns")
    found = find_side_data(
        storage,
        syntax,
        frames=max(1, _number(item, "NumberOfFrames")),
        pixels=pixels,
        size=native_size(
            pixels,
            _number(item, "SamplesPerPixel") or 1,
            _number(item, "BitsAllocated"),
            str(item.get("PhotometricInterpretation")),
        ),
        extended=tables if all(tables) else None,
    )
    if found.unread:
        warnings.append(UNREAD)
    if found.splices:
        owner = owned_item(dataset, target.steps)
        new = DataElement(element.tag, element.VR, _value(storage, found.splices), already_converted=True)
        new.is_undefined_length = element.is_undefined_length
        owner[element.tag] = new
    done, told = changes_of(found, target.path, str(element.VR), len(storage))
    changes += done
    warnings += told
    if found.extended_is_wrong:
        owner = owned_item(dataset, target.steps)
        for tag in _TABLES:
            old = len(owner[tag].value)
            del owner[tag]
            changes.append(Change(target.path_of(tag), keyword_for_tag(tag), "OV", ChangeAction.REMOVED, RULE, old))


def _cut(dataset: Dataset, target: Target, changes: list[Change], warnings: list[str]) -> None:
    item, tag = target.dataset, target.tag
    element = item.get_item(tag)
    if not element.value or not isinstance(element.value, bytes | io.BufferedIOBase):
        return
    storage = storage_of(element.value)
    # Reading an attribute makes pydicom replace its raw element, so read from a scratch dataset.
    scratch = Dataset({key: item.get_item(key) for key in item.keys() if key.group == _IMAGE_GROUP})  # noqa: SIM118
    layout = None
    try:
        layout = pixel_layout(scratch, tag)
        frames = NativeFrames(layout, storage)
    except UnsupportedPixelsError:
        is_cut_off = layout is not None and len(storage) < layout.length
        warnings.append(SHORT if is_cut_off and not is_text(bytes(storage.read_at(0, _CHUNK))) else CONTRADICTION)
        return
    if frames.excess:
        vr = str(element.VR or _NATIVE_VRS[tag])
        end = frames.length + frames.length % 2
        new = _value(storage, [Splice(end, len(storage), b"")])
        owned_item(dataset, target.steps)[tag] = DataElement(element.tag, vr, new, already_converted=True)
        action = ChangeAction.TRANSFORMED
        changes.append(Change(target.path, keyword_for_tag(tag), vr, action, EXCESS_RULE, len(storage)))
        warnings.append(EXCESS)


def _value(storage: Storage, splices: list[Splice]) -> bytes | Spliced:
    if not isinstance(storage, BytesStorage):
        return Spliced(storage, splices)
    parts = pieces_of(len(storage), splices)
    return b"".join(part if isinstance(part, bytes) else storage.read_at(*part) for part in parts)


def _number(dataset: Dataset, keyword: str) -> int:
    try:
        return int(dataset.get(keyword) or 0)
    except Exception:  # noqa: BLE001 - a broken value raises anything
        return 0
