"""Re-identification, for those who may: of a folder, or of a single pseudonym. Every use is logged."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue

from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.charsets import encodings_of, write_text
from healthcare_deid.engine.dicom.datasets import private_copy, value_of
from healthcare_deid.engine.header.originals import ENCRYPTED_ATTRIBUTES, restored
from healthcare_deid.engine.identity.vault import VaultEntry, read_vault
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.identity.envelope import RecipientKey

SPECIFIC_CHARACTER_SET = 0x00080005
_KINDS_OF_UIDS = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "instance": "SOPInstanceUID"}
_NOT_ELEMENTS = frozenset({"DaysShifted", *_KINDS_OF_UIDS.values()})
_UNKNOWN = "neither the instance nor the vault says whose it is"


class Restored(NamedTuple):
    """Report of a restored folder.

    Attributes:
        succeeded: Files whose identity was restored.
        failures: Name and reason of each file for which nothing was written.
    """

    succeeded: int
    failures: tuple[tuple[str, str], ...]


class UseLog:
    """Log of re-identifications: a line of JSON with who and when, written before the answer is given.

    Args:
        path: File to append to. It is created for its owner only.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self.write("opened", "")

    def write(self, action: str, what: str) -> None:
        """Add a line.

        Args:
            action: What was done.
            what: Pseudonym or de-identified file; never an original.

        Raises:
            OSError: It cannot be written.
        """
        line = {"time": datetime.now(UTC).isoformat(), "user": _user(), "action": action, "what": what}
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)


def who(pseudonym: str, vault: Path, log: UseLog, key: RecipientKey | None = None) -> list[VaultEntry]:
    """Return what a vault knows about a pseudonym or a new UID; empty if it knows nothing.

    Raises:
        ConfigError: The file is not a vault, or a key is needed.
        EngineError: The vault is encrypted for another key.
        OSError: The log cannot be written.
    """
    log.write("who", pseudonym)
    return [entry for entry in read_vault(vault, key) if entry.new == pseudonym]


def restore_tree(
    source: Path,
    destination: Path,
    log: UseLog,
    *,
    key: RecipientKey | None = None,
    vault: Path | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> Restored:
    """Write the files of a folder, with their original identity, to another folder under the same names.

    An instance with encrypted attributes gets all of them back; any other gets what the vault knows. ``on_progress`` is
    called after each file with the number of files done and the total.

    Raises:
        ValueError: *destination* is inside *source*, or around it.
        ConfigError: The file is not a vault, or a key is needed.
        OSError: The log cannot be written, or the folder cannot be listed.
    """
    old, new = source.resolve(), destination.resolve()
    if new.is_relative_to(old) or old.is_relative_to(new):
        raise ValueError("the destination is inside the source, or around it")
    known = _Known(read_vault(vault, key) if vault is not None else ())
    succeeded = 0
    failures: list[tuple[str, str]] = []
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    for done, name in enumerate(names, 1):
        log.write("restore", name)
        try:
            guarded(lambda name=name: _restore(source / name, destination / name, known, key))  # type: ignore[misc]
        except EngineError as error:
            failures.append((name, error.reason))
        else:
            succeeded += 1
        if on_progress is not None:
            on_progress(done, len(names))
    return Restored(succeeded, tuple(failures))


class _Known:
    """Entries of a vault, indexed for lookup."""

    def __init__(self, entries: Iterable[VaultEntry]) -> None:
        self.studies: dict[str, dict[str, str]] = {}
        self.uids: dict[str, str] = {}
        for entry in entries:
            keyword = _KINDS_OF_UIDS.get(entry.kind)
            if keyword is not None and keyword in entry.old:
                self.uids[entry.new] = entry.old[keyword]
            if entry.kind == "study":
                self.studies[entry.new] = entry.old


def _restore(old: Path, new: Path, known: _Known, key: RecipientKey | None) -> None:
    with files.opened(old) as (dataset, _):
        if key is not None and ENCRYPTED_ATTRIBUTES in dataset:
            result = restored(dataset, key)
        else:
            result = _by_vault(dataset, known)
        files.write(result, new)


def _by_vault(dataset: Dataset, known: _Known) -> Dataset:
    """Return an instance with its identity from the vault. Other attributes do not change."""
    identity = known.studies.get(str(dataset.get("StudyInstanceUID", "")))
    if identity is None:
        raise EngineError(_UNKNOWN, reason="not-in-vault")
    result = private_copy(dataset)
    for element in _uids(result):
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        new = [known.uids.get(str(value), str(value)) for value in values]
        element.value = new if len(new) > 1 else new[0]
    elements = {keyword: value for keyword, value in identity.items() if keyword not in _NOT_ELEMENTS}
    _make_writable(result, elements)
    for keyword, value in elements.items():
        setattr(result, keyword, value)
    result.file_meta = FileMetaDataset(result.file_meta)
    result.file_meta.MediaStorageSOPInstanceUID = result.SOPInstanceUID
    result.pop("PatientIdentityRemoved", None)
    result.preamble = bytes(128)
    return result


def _make_writable(result: Dataset, elements: Mapping[str, str]) -> None:
    """Convert a dataset to UTF-8 unless its character set can encode the text written to it."""
    encodings = encodings_of(value_of(result, SPECIFIC_CHARACTER_SET))
    try:
        for keyword, value in elements.items():
            write_text(value, dictionary_VR(keyword), encodings, "")
    except UnicodeError:
        result.decode()  # otherwise existing text is written as it was read
        result.SpecificCharacterSet = "ISO_IR 192"


def _uids(dataset: Dataset) -> Iterator[DataElement]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _uids(item)
        elif element.VR == "UI" and element.value:
            yield element


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
