"""File-set of a run's results: a DICOMDIR and the files it refers to (PS3.10 Section 8, PS3.3 Annex F).

A DICOMDIR can only refer to file names of up to eight characters per component, and results are named by UIDs. The
File-set is therefore a separate folder of links to the results, or of copies where links are not possible.
"""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX
from healthcare_deid.engine.dicom.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydicom.fileset import FileSet

DICOMDIR = "DICOMDIR"
LEFT_OUT = (
    "a result is not in the DICOMDIR: it lacks what a directory record must have, or another result has its SOP "
    "Instance UID"
)
_LARGE = 1 << 16
"""Values of at least this many bytes are not read; no directory record holds one."""
_NEXT, _LOWER = 8, 30
"""Positions of the offsets in an encoded record: it begins with (0004,1400) UL, (0004,1410) US and (0004,1420) UL."""
_FIRST, _LAST = -26, -14
"""Positions of the root entity's offsets, counted from the end: (0004,1200) UL, (0004,1202) UL, (0004,1212) US."""
_SEQUENCE = struct.Struct("<HH2sHI")
_ITEM = struct.Struct("<HHI")
_OFFSET = struct.Struct("<I")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_PREFIXES = {"PATIENT": "PT", "STUDY": "ST", "SERIES": "SE"}
_INVENTED = {
    # Type 1 in a directory record, and of another type, or emptied, in an instance (PS3.3 Section F.5); dcmtk's
    # dcmgpdir --invent writes the same dates and times.
    "StudyDate": "19000101",
    "StudyTime": "000000",
    "Modality": "OT",
    "SeriesNumber": "0",
    "InstanceNumber": "0",
}
_INVENTED_IF_EMPTIED = {
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "PresentationCreationDate": "19000101",
    "PresentationCreationTime": "000000",
    "ContentLabel": "UNKNOWN",
    "RTPlanLabel": "UNKNOWN",
    "StructureSetLabel": "UNKNOWN",
}


@dataclass
class _Node:
    """Directory record and the records below it.

    Attributes:
        number: Position among its siblings, from 1.
        data: Encoded record. Its offsets are filled in last.
        below: Records below it, by key.
    """

    number: int = 0
    data: bytearray = field(default_factory=bytearray)
    below: dict[str, _Node] = field(default_factory=dict)

    def at(self, key: str) -> _Node:
        """Return the child with this key, or a new one that is not attached yet."""
        return self.below.get(key) or _Node(len(self.below) + 1)


def file_set_folder(destination: Path | None) -> Path:
    """Return the File-set folder of a destination.

    Raises:
        ConfigError: The destination is not a folder of this machine, or something else has the File-set's name.
    """
    if destination is None:
        raise ConfigError("dicomdir: a DICOMDIR needs a destination that is a folder of this machine")
    folder = destination.with_name(f"{destination.name}.fileset")
    if folder.exists() and not (folder / DICOMDIR).is_file():
        raise ConfigError("dicomdir: DESTINATION.fileset is there, and is no File-set: move it away")
    return folder


def write_file_set(destination: Path, results: Iterable[str], folder: Path) -> int:
    """Write a File-set atomically, replacing an earlier one.

    Args:
        destination: The folder of results.
        results: Their names.
        folder: The File-set's folder.

    Returns:
        Number of results left out because no directory record can be created for them.

    Raises:
        OSError: It cannot be written.
    """
    from pydicom.fileset import FileSet  # imported here because it is slow to import and rarely needed

    # Used for its records only: FileSet itself copies every file twice and searches all of them for each.
    recorder = FileSet.__new__(FileSet)
    partial_folder = folder.with_name(f".{folder.name}{PARTIAL_SUFFIX}")
    old = folder.with_name(f".{folder.name}.old{PARTIAL_SUFFIX}")
    for left in (partial_folder, old):
        shutil.rmtree(left, ignore_errors=True)
    partial_folder.mkdir(parents=True)
    try:
        root = _Node()
        left_out = 0
        for name in sorted(results):
            try:
                path = guarded(partial(_add, root, recorder, destination / name))
            except EngineError:
                left_out += 1
                continue
            _link(destination / name, partial_folder.joinpath(*path))
        (partial_folder / DICOMDIR).write_bytes(_encoded_directory(root))
        if folder.exists():
            folder.rename(old)
        partial_folder.rename(folder)
    finally:
        for left in (partial_folder, old):
            shutil.rmtree(left, ignore_errors=True)
    return left_out


def _link(result: Path, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(result, file)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(result, file)


def _add(root: _Node, recorder: FileSet, result: Path) -> list[str]:
    """Add the records of a result; return the components of its File ID."""
    dataset = pydicom.dcmread(result, stop_before_pixels=True, defer_size=_LARGE)
    study, series, instance = (str(dataset.get(keyword) or "") for keyword in _UIDS)
    # Two studies without Patient ID may or may not belong to one patient: keep them apart.
    keys = [str(dataset.get("PatientID") or f"\0{study}"), study, series, instance]
    patient = root.at(keys[0])
    _complete(dataset, f"PATIENT{patient.number}", str(patient.at(study).number))
    records = [*recorder._recordify(dataset)]
    node, nodes, components = root, [], []
    for key, record in zip(keys[-len(records) :], records, strict=True):
        node = node.at(key)
        nodes.append(node)
        kind: str = record.DirectoryRecordType
        components.append(f"{_PREFIXES.get(kind, kind.replace(' ', '')[:2])}{node.number:06X}")
    if node.data:
        raise EngineError("another result has the SOP Instance UID")
    records[-1].ReferencedFileID = components
    encoded = [node.data or _encoded(record) for node, record in zip(nodes, records, strict=True)]
    # Nothing can fail from here on, so the tree is changed only now.
    for parent, key, node, data in zip([root, *nodes], keys[-len(records) :], nodes, encoded, strict=False):
        node.data = data
        parent.below[key] = node
    return components


def _complete(dataset: Dataset, patient: str, study: str) -> None:
    """Fill in values that directory records require. The file itself does not change."""
    for keyword, value in {"PatientID": patient, "StudyID": study, **_INVENTED}.items():
        if dataset.get(keyword) in (None, ""):
            setattr(dataset, keyword, value)
    for keyword, value in _INVENTED_IF_EMPTIED.items():
        if keyword in dataset and dataset.get(keyword) in (None, ""):
            setattr(dataset, keyword, value)


def _encoded(record: Dataset) -> bytearray:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, record)
    return bytearray(buffer.getvalue())


def _encoded_directory(root: _Node) -> bytes:
    """Return the encoded DICOMDIR, with records in tree order and their offsets filled in."""
    nodes = [*_below(root)]
    head = _encoded_head(nodes)
    offset = len(head) + _SEQUENCE.size
    offsets: dict[int, int] = {}
    for node in nodes:
        offsets[id(node)] = offset
        offset += _ITEM.size + len(node.data)
    for parent in (root, *nodes):
        beside = [*parent.below.values()]
        for node, following in pairwise(beside):
            _OFFSET.pack_into(node.data, _NEXT, offsets[id(following)])
        if beside and parent is not root:
            _OFFSET.pack_into(parent.data, _LOWER, offsets[id(beside[0])])
        elif beside:
            _OFFSET.pack_into(head, len(head) + _FIRST, offsets[id(beside[0])])
            _OFFSET.pack_into(head, len(head) + _LAST, offsets[id(beside[-1])])
    items = b"".join(_ITEM.pack(0xFFFE, 0xE000, len(node.data)) + node.data for node in nodes)
    return bytes(head) + _SEQUENCE.pack(0x0004, 0x1220, b"SQ", 0, len(items)) + items


def _encoded_head(nodes: list[_Node]) -> bytearray:
    """Return the part before the records. Equal records give equal bytes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    digest = sha256(b"".join(node.data for node in nodes)).hexdigest()
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[digest])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.FileSetID = None
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    dataset.FileSetConsistencyFlag = 0
    buffer = DicomBytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return bytearray(buffer.getvalue())


def _below(node: _Node) -> Iterator[_Node]:
    for one in node.below.values():
        yield one
        yield from _below(one)
