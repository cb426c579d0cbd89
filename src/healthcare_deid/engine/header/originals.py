"""Original attributes, encrypted in the instance itself for recipients (PS3.15 section E.1.1)."""

from __future__ import annotations

from io import BytesIO
from struct import Struct
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian

from healthcare_deid.engine.dicom.datasets import guessed_syntax, items, private_copy, rebuilt, shared
from healthcare_deid.engine.dicom.elements import creator_tag, is_private
from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients

ENCRYPTED_ATTRIBUTES = 0x04000500
ENCRYPTED_REASON = "encrypted-attributes"
_TRANSFER_SYNTAX, _CONTENT, _MODIFIED = 0x04000510, 0x04000520, 0x04000550
_CHARACTER_SET = BaseTag(0x00080005)
_PIXELS = 0x7FE0
_OURS, _ADDED = "HEALTHCARE-DEID", 0x01
# Group of a private block in the encrypted dataset that lists the added attributes.
_OUR_GROUP = 0x0401
_TAG = Struct("<HH")
_NO_ENVELOPE = "the instance has no encrypted attributes"
_NO_ORIGINALS = "the encrypted attributes of the instance are not original attributes"


def encrypted_attributes(
    source: Dataset, changed: Collection[int], added: Collection[int], recipients: Recipients
) -> DataElement:
    """Return (0400,0500) with the original values of changed attributes, except pixels.

    Args:
        source: The original instance.
        changed: Top-level tags that were changed, or contain a change.
        added: Tags that only the result has.
        recipients: Recipients who can decrypt it.
    """
    wanted = {BaseTag(tag) for tag in changed if tag in source and tag >> 16 != _PIXELS}
    # A private element cannot be read without its creator (PS3.5 section 7.8.1).
    wanted |= {BaseTag(creator_tag(tag)) for tag in wanted if is_private(tag) and creator_tag(tag) in source}
    wanted |= {_CHARACTER_SET} & source.keys()
    elements = {tag: shared(source.get_item(tag)) for tag in sorted(wanted)}
    originals = rebuilt(source, {_CHARACTER_SET: elements[_CHARACTER_SET]} if _CHARACTER_SET in elements else {})
    originals.add(DataElement(_MODIFIED, "SQ", Sequence([rebuilt(source, elements)])))
    originals.private_block(_OUR_GROUP, _OURS, create=True).add_new(_ADDED, "AT", sorted(added))
    syntax = guessed_syntax(source)
    item = Dataset()
    item.add_new(_TRANSFER_SYNTAX, "UI", syntax)
    item.add_new(_CONTENT, "OB", recipients.seal(_encoded(originals, syntax)))
    return DataElement(ENCRYPTED_ATTRIBUTES, "SQ", Sequence([item]))


def seal(
    target: Dataset, source: Dataset, changes: Iterable[Change], added: Iterable[Change], recipients: Recipients
) -> Change:
    """Add the encrypted original attributes to a result.

    Returns the change.

    Args:
        target: The result.
        source: The original instance.
        changes: Changes in its header.
        added: Additions to its header.
        recipients: Recipients who can decrypt them.
    """
    changed = {int(change.path[:8], 16) for change in changes}
    new = {int(change.path[:8], 16) for change in added}
    element = encrypted_attributes(source, changed | new, new - set(map(int, source.keys())), recipients)
    target[ENCRYPTED_ATTRIBUTES] = element
    return Change(f"{ENCRYPTED_ATTRIBUTES:08X}", element.keyword, "SQ", ChangeAction.ADDED, ENCRYPTED_REASON)


def restored(dataset: Dataset, key: RecipientKey) -> Dataset:
    """Return the original instance of a de-identified one, except for its pixels.

    Args:
        dataset: The de-identified instance; it is not modified.
        key: Private key of a recipient.

    Raises:
        EngineError: The instance has no encrypted attributes, or none for this key.
    """
    if ENCRYPTED_ATTRIBUTES not in dataset:
        raise EngineError(_NO_ENVELOPE, reason="no-encrypted-attributes")
    failure = EngineError(_NO_ENVELOPE, reason="no-encrypted-attributes")
    for item in private_copy(dataset)[ENCRYPTED_ATTRIBUTES].value:
        try:
            originals = _decoded(key.open(item[_CONTENT].value), str(item[_TRANSFER_SYNTAX].value))
        except EngineError as error:
            failure = error
            continue
        return _with(dataset, originals)
    raise failure


def _with(dataset: Dataset, originals: Dataset) -> Dataset:
    if _MODIFIED not in originals or len(originals[_MODIFIED].value) != 1:
        raise EngineError(_NO_ORIGINALS, reason="no-originals")
    elements = {tag: shared(element) for tag, element in items(dataset) if tag != ENCRYPTED_ATTRIBUTES}
    for tag in _added(originals):
        elements.pop(BaseTag(tag), None)
    elements |= dict(items(originals[_MODIFIED].value[0]))
    target = rebuilt(dataset, dict(sorted(elements.items())))
    target.file_meta = FileMetaDataset(private_copy(dataset).file_meta)
    # The file meta must repeat the dataset's SOP Instance UID (PS3.10 section 7.1).
    if "SOPInstanceUID" in target:
        target.file_meta.MediaStorageSOPInstanceUID = UID(str(target.SOPInstanceUID))
    target.preamble = bytes(128)
    return target


def _added(originals: Dataset) -> list[int]:
    """Return the tags that de-identification added."""
    try:
        block = originals.private_block(_OUR_GROUP, _OURS)
    except KeyError:
        return []
    value: Any = block[_ADDED].value if _ADDED in block else None
    if isinstance(value, bytes):  # implicit VR does not tell the VR of a private element
        return [group << 16 | element for group, element in _TAG.iter_unpack(value)]
    return [] if value is None else [value] if isinstance(value, int) else list(value)


def _encoded(dataset: Dataset, syntax: str) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian = syntax != ExplicitVRBigEndian
    file.is_implicit_VR = syntax == ImplicitVRLittleEndian
    write_dataset(file, dataset)
    return file.getvalue()


def _decoded(data: bytes, syntax: str) -> Dataset:
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    try:
        return read_dataset(BytesIO(data), implicit, little)
    except Exception:  # noqa: BLE001 - a wrong key gives random bytes, and pydicom fails on them in many ways
        raise EngineError(_NO_ORIGINALS, reason="no-originals") from None
