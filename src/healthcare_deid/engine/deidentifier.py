"""One instance in, one instance out, with a record of every change."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError as NotDicomError
from pydicom.tag import BaseTag
from pydicom.uid import generate_uid

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.config.image import TextRedactionMode
from healthcare_deid.engine.records import Change, ChangeAction, DeidentifyResult
from healthcare_deid.engine.tags.dataset import DatasetExecutor, rebuilt, shared, value_bytes
from healthcare_deid.engine.tags.elements import keyword
from healthcare_deid.engine.tags.meta import markers as marker_elements
from healthcare_deid.engine.tags.meta import new_file_meta
from healthcare_deid.engine.tags.profiles import SOP_CLASS_UID, compile_dicom_config
from healthcare_deid.engine.tags.uids import PRIMARY_UIDS, SOP_INSTANCE_UID, UidMapper, UidRule, uid_text
from healthcare_deid.engine.tags.values import Values
from healthcare_deid.errors import EngineError, InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from os import PathLike

    from healthcare_deid.engine.records import Redaction
    from healthcare_deid.engine.tags.ps315 import Edition, ProfileOption

_ZERO_PREAMBLE = bytes(128)


class Deidentifier:
    """De-identifies DICOM instances on this machine. Compiled once; use it for as many instances as there are.

    It can be pickled, and copies in other processes do the same to the same instance.

    Args:
        config: What to do; the API's own message.
        patient_keys: Keys for date shifts by patient ID, stronger than the config's.
        date_shift_days: Dates are shifted by at most this many days, back or forth.
        uid_rule: ``"google"`` (compatible with the service) or ``"salted"`` (needs ``salt`` to recompute).
        salt: Secret of at least 16 bytes for ``"salted"``.
        markers: Write de-identification markers: (0012,0062), (0012,0063), (0012,0064), (0028,0301).
        edition: PS3.15 edition of the Basic Profile: the API's, or the current one.
        options: Options of the Basic Profile (PS3.15 Table E.1-1); not part of the API.
        strict_keep_list: Let keep modes remove SOPClassUID unless it is listed.

    Raises:
        ConfigError: The config cannot be carried out.
    """

    def __init__(
        self,
        config: DeidentifyConfig,
        *,
        patient_keys: Mapping[str, bytes] | None = None,
        date_shift_days: int = 100,
        uid_rule: UidRule = "google",
        salt: bytes | None = None,
        markers: bool = True,
        edition: Edition = "2018e-google",
        options: Collection[ProfileOption | str] = (),
        strict_keep_list: bool = False,
    ) -> None:
        self.config = config
        self.markers = markers
        self.plan = compile_dicom_config(
            config.dicom, edition=edition, options=options, strict_keep_list=strict_keep_list
        )
        self._mapper = UidMapper(uid_rule, salt)
        self._image = config.image if _looks_at_pixels(config.image) else None
        sensitive_only = (
            self._image is not None and self._image.text_redaction_mode != TextRedactionMode.REDACT_ALL_TEXT
        )
        self._text: Any = None
        if self.plan.inspects_text or sensitive_only:
            from healthcare_deid.engine.text.engine import TextEngine

            self._text = TextEngine(config, date_shift_days=date_shift_days, patient_keys=patient_keys)
        self._redactor: Any = None

    def __repr__(self) -> str:
        return f"Deidentifier({self.plan.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_redactor": None}

    def deidentify(self, dataset: Dataset) -> DeidentifyResult:
        """De-identify one instance.

        Args:
            dataset: The instance; it is not modified.

        Returns:
            The new instance, with fresh file meta, and what was done to it.

        Raises:
            EngineError: It cannot be de-identified; nothing of it is returned.
        """
        try:
            return self._deidentify(dataset)
        except EngineError:
            raise
        except Exception as error:
            # Whatever broke, its text may quote a value: only its type is told.
            raise EngineError(f"the instance could not be processed ({type(error).__name__})") from None

    def deidentify_file(self, source: str | PathLike[str], destination: str | PathLike[str]) -> DeidentifyResult:
        """De-identify one file into another, which appears only when it is complete.

        Args:
            source: A DICOM file.
            destination: Where the result goes; replaced if it exists. Missing folders are made.

        Raises:
            InvalidDicomError: The source is not DICOM.
            EngineError: It cannot be de-identified; nothing is written.
            OSError: A file cannot be read or written.
        """
        dataset = _read(Path(source))
        result = self.deidentify(dataset)
        _write(result.dataset, Path(destination))
        return result

    def _deidentify(self, dataset: Dataset) -> DeidentifyResult:
        bound = self._text.bind(dataset) if self._text is not None else None
        changes: list[Change] = []
        warnings: list[str] = []
        redactions: tuple[Redaction, ...] = ()
        working = dataset
        if self._image is not None:
            working = _private_copy(dataset)
            report = self._pixel_redactor().redact(working, bound)
            redactions = report.redactions
            changes.extend(report.changes)
            warnings.extend(report.warnings)
        values = Values(self.plan, self._mapper, _own_uids(dataset), bound)
        executor = DatasetExecutor(values)
        target = executor.apply(working)
        changes.extend(executor.changes)
        changes.extend(self._finish(working, target, warnings))
        warnings.extend(values.warnings)
        return DeidentifyResult(target, tuple(changes), redactions, tuple(warnings), executor.kept)

    def _finish(self, source: Dataset, target: Dataset, warnings: list[str]) -> list[Change]:
        """Write preamble, file meta and markers anew."""
        old_meta: Dataset | None = getattr(source, "file_meta", None)
        class_uid = _uid(source, SOP_CLASS_UID) or str(getattr(old_meta, "MediaStorageSOPClassUID", "") or "")
        new_uid = _uid(target, SOP_INSTANCE_UID)
        if not new_uid:
            old_uid = str(getattr(old_meta, "MediaStorageSOPInstanceUID", "") or "")
            new_uid = self._mapper.map(old_uid) if self.plan.uids.primary else old_uid
        if not new_uid:
            new_uid = generate_uid(prefix=None)
            warnings.append("the instance has no SOP Instance UID: its file got a random one")
        syntax = str(getattr(old_meta, "TransferSyntaxUID", "") or "") or _guessed_syntax(source)
        target.file_meta, changes = new_file_meta(old_meta, new_uid, class_uid, syntax)
        target.preamble = _ZERO_PREAMBLE
        if self.markers:
            changes.extend(self._mark(target))
        return changes

    def _mark(self, target: Dataset) -> list[Change]:
        cleaned = self._image is not None and "PixelData" in target
        marks = marker_elements(self.plan, ["113101"] if cleaned else [])
        if cleaned and self._image is not None and self._image.text_redaction_mode == TextRedactionMode.REDACT_ALL_TEXT:
            marks.BurnedInAnnotation = "NO"
        changes: list[Change] = []
        for element in marks:
            target[element.tag] = element
            tag = int(element.tag)
            changes.append(Change(f"{tag:08X}", keyword(tag), element.VR, ChangeAction.ADDED, "marker"))
        return changes

    def _pixel_redactor(self) -> Any:
        if self._redactor is None:
            from healthcare_deid.engine.pixels.redactor import PixelRedactor

            self._redactor = PixelRedactor(self._image)
        return self._redactor


def _looks_at_pixels(image: Any) -> bool:
    mode = image.text_redaction_mode if image is not None else None
    return mode not in (
        None,
        TextRedactionMode.TEXT_REDACTION_MODE_UNSPECIFIED,
        TextRedactionMode.REDACT_NO_TEXT,
    ) or bool(image is not None and image.custom_regexes)


def _private_copy(dataset: Dataset) -> Dataset:
    """Return a dataset whose elements can be replaced without a trace in the original."""
    copied = rebuilt(dataset, {tag: shared(dataset.get_item(tag)) for tag in dataset.keys()})
    meta: Dataset | None = getattr(dataset, "file_meta", None)
    if meta is not None:
        copied.file_meta = pydicom.dataset.FileMetaDataset({tag: shared(meta.get_item(tag)) for tag in meta.keys()})
    return copied


def _own_uids(dataset: Dataset) -> frozenset[str]:
    return frozenset(uid for tag in PRIMARY_UIDS if (uid := _uid(dataset, tag)))


def _uid(dataset: Dataset, tag: int) -> str:
    if tag not in dataset:
        return ""
    return uid_text(value_bytes(dataset.get_item(BaseTag(tag))))


def _guessed_syntax(source: Dataset) -> str:
    implicit, little = source.original_encoding
    if implicit is None or little is None:
        return ""
    if not little:
        return str(pydicom.uid.ExplicitVRBigEndian)
    return str(pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian)


def _read(path: Path) -> FileDataset:
    try:
        return pydicom.dcmread(path)
    except OSError:
        raise
    except NotDicomError:
        raise InvalidDicomError("not a DICOM file") from None
    except Exception as error:
        raise InvalidDicomError(f"not a readable DICOM file ({type(error).__name__})", reason="broken") from None


def _write(dataset: Dataset, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".healthcare-deid-", suffix=".part", dir=destination.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            pydicom.dcmwrite(file, dataset, enforce_file_format=True)
        beside.replace(destination)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
