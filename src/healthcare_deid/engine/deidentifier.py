"""One instance in, one instance out, with a record of every change."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from struct import error as StructError  # noqa: N812 - an exception, named as one
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from healthcare_deid._border import border
from healthcare_deid.engine.dicom import file_meta as meta
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.atomic_write import existing_parent, write_pieces
from healthcare_deid.engine.dicom.charsets import encoding_named
from healthcare_deid.engine.dicom.datasets import guessed_syntax, items, private_copy, shared, uid_of, value_bytes
from healthcare_deid.engine.dicom.directory import MEDIA_STORAGE_DIRECTORY
from healthcare_deid.engine.dicom.sidedata import PIXEL_TAGS
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native
from healthcare_deid.engine.dicom.uids import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    is_uid,
    uid_text,
)
from healthcare_deid.engine.header import markers as marks
from healthcare_deid.engine.header.executor import DatasetExecutor, removes
from healthcare_deid.engine.header.facts import FACE_LEFT, Facts, FactsOfInstances, noted_tags
from healthcare_deid.engine.header.fast.encoded_file import EncodedFile, encoded_meta
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.executor import EncodedExecutor, Slot
from healthcare_deid.engine.header.fast.frame_side_data import without_side_data
from healthcare_deid.engine.header.fast.lookup import IDENTITY
from healthcare_deid.engine.header.fast.tables import Tables
from healthcare_deid.engine.header.fast.text_contexts import Contexts
from healthcare_deid.engine.header.fast.value_cache import Memo
from healthcare_deid.engine.header.values import Values
from healthcare_deid.engine.identity.secret import UIDS, ProjectSecret
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.options import EngineOptions
from healthcare_deid.engine.plan.compile import compile_config
from healthcare_deid.engine.plan.directory import directory_plan
from healthcare_deid.engine.plan.pixels import Scope
from healthcare_deid.engine.plan.profiles import SOP_CLASS_UID
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.results import DeidentifyResult, PixelReport
from healthcare_deid.engine.runs.naming import result_name
from healthcare_deid.engine.safe_errors import check_dataset, guarded, path_of
from healthcare_deid.engine.text.effects import inspected_dates, what_stays
from healthcare_deid.engine.text.find.own_terms import name_tags
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from os import PathLike
    from pathlib import Path

    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
    from healthcare_deid.engine.dicom.file_meta import MetaValues
    from healthcare_deid.engine.header.fast.encoded_file import Range
    from healthcare_deid.engine.options import Edition, OtherUids, UidRule
    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.results import Change, TreeProgress, TreeReport
    from healthcare_deid.engine.runs.naming import Names
    from healthcare_deid.engine.text.engine import TextEngine
    from healthcare_deid.engine.text.find.detectors.base import Detector
    from healthcare_deid.engine.text.find.own_terms import OwnTerms

_ZERO_PREAMBLE = bytes(128)
_NOTHING = (b"", b"")
_NO_UID = "the instance has no SOP Instance UID: its file got a random one"
_NO_CLASS = "the instance has no SOP Class UID: readers that insist on one will refuse its file"
_DIRECTORY = "a DICOMDIR names files, and the names are kept: see that they tell nothing about patients"
_DATE_IN_UID = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_SHIFT_CAN_BE_UNDONE = (
    "dates are shifted beside UIDs that hold a date and are mapped without a secret: whoever tries the dates finds the "
    'shift; secret=, or uid_rule="salted", prevents it'
)
_OWN = (SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID)


def _names_if(text: TextEngine | None) -> frozenset[int]:
    """Return the names whose bytes are looked for in text that is inspected."""
    return name_tags() if text is not None else frozenset()


class Deidentifier:
    """De-identifies DICOM instances on this machine. Compiled once; use it for as many instances as there are.

    It can be pickled, and copies in other processes do the same to the same instance.

    Args:
        config: What to do; the API's own message, of either version.
        patient_keys: Keys for date shifts by patient ID, stronger than the config's.
        date_shift_days: Dates are shifted by at most this many days, back or forth.
        secret: The project's secret, at least 16 bytes, or a file that holds it: dates, hashes and UIDs are keyed with
            what is derived from it, so that every run and machine that has it gives the same. A key in the config is
            stronger, and so is ``uid_rule``.
        uid_rule: ``"google"`` (compatible with the service) or ``"salted"`` (needs ``salt`` to recompute). By default
            UIDs are keyed where there is a ``secret``, and follow the service's rule where there is none.
        salt: Secret of at least 16 bytes for ``"salted"``.
        markers: Write de-identification markers: (0012,0062), (0012,0063), (0012,0064), (0028,0301),
            (0028,0303).
        edition: PS3.15 edition of the Basic Profile: the API's, or the current one.
        options: Options of the Basic Profile (PS3.15 Table E.1-1); not part of the API.
        safe_private: Private elements that may stay, as ``"<creator>,gggg,ee"``; with them goes the option
            ``retain_safe_private``.
        other_uids: What happens to UIDs besides the study's, series' and instance's: ``"profile"`` does what the
            config's profile does, ``"keep"`` leaves them, references too, unless the Basic Profile's table names them,
            ``"map"`` regenerates them all.
        strict_edition: Leave attributes that only a later edition than ``edition`` lists, or none.
        strict_keep_list: Let keep modes remove SOPClassUID unless it is listed.
        nested: False lets a keepList or removeList reach top-level elements only, as Google's offline redactor does:
            a sequence that stays keeps all it holds, UIDs excepted. Every result warns of it.
        thorough: Look for tiny, faint and rotated burned-in text too.
        every_frame: Cover burned-in text that is found in one frame in all of them: text that fades or flickers.
        service_limits: Refuse instances whose pixels the service would not redact for their size, instead of warning.
        ocr: What finds and reads burned-in text, in place of the engine's own.
        unwrapped_keys: Plain keys by ``wrappedKey`` (bytes, or base64 text), where Cloud KMS has wrapped the config's:
            this machine cannot unwrap them.
        detectors: Further detectors of sensitive text: custom infoTypes, or a language model.
        fallback_charset: The character set, as a DICOM term (``"GB18030"``) or a Python encoding, to try first for text
            that is not in the one its instance names: what a site knows about its archive.

    Attributes:
        config: As given.
        options: The arguments besides the config.
        plan: What happens to every tag.
        warnings: What a person should know about the config; every result repeats it.

    Raises:
        ConfigError: The config cannot be carried out.
    """

    @border
    def __init__(
        self,
        config: DeidentifyConfig | DeidentifyConfigV1Beta1,
        *,
        patient_keys: Mapping[str, bytes] | None = None,
        date_shift_days: int = 100,
        secret: bytes | str | PathLike[str] | None = None,
        uid_rule: UidRule | None = None,
        salt: bytes | None = None,
        markers: bool = True,
        edition: Edition = "2018e-google",
        options: Collection[str] = (),
        safe_private: Collection[str] = (),
        other_uids: OtherUids = "profile",
        strict_edition: bool = False,
        strict_keep_list: bool = False,
        nested: bool = True,
        thorough: bool = False,
        every_frame: bool = False,
        service_limits: bool = False,
        ocr: Ocr | None = None,
        unwrapped_keys: Mapping[str | bytes, bytes] | None = None,
        detectors: Sequence[Detector] = (),
        fallback_charset: str = "",
    ) -> None:
        chosen = EngineOptions(
            patient_keys=patient_keys,
            date_shift_days=date_shift_days,
            secret=secret,
            uid_rule=uid_rule,
            salt=salt,
            markers=markers,
            edition=edition,
            options=options,
            safe_private=safe_private,
            other_uids=other_uids,
            strict_edition=strict_edition,
            strict_keep_list=strict_keep_list,
            nested=nested,
            thorough=thorough,
            every_frame=every_frame,
            service_limits=service_limits,
            ocr=ocr,
            unwrapped_keys=unwrapped_keys,
            detectors=detectors,
            fallback_charset=fallback_charset,
        )
        self.options = chosen
        compiled = compile_config(config, chosen)
        self.config = config
        self._pixels = compiled.pixels
        known = None if secret is None else ProjectSecret(secret)
        if known is not None and uid_rule is None and salt is None:
            uid_rule, salt = "salted", known.key(UIDS)
        self._mapper = UidMapper(uid_rule or "google", salt)
        self._fallback = encoding_named(fallback_charset)
        self._text: TextEngine | None = None
        if compiled.inspects_text:
            from healthcare_deid.engine.text.engine import TextEngine

            self._text = TextEngine(
                compiled.text,
                date_shift_days=date_shift_days,
                patient_keys=patient_keys,
                unwrapped_keys=unwrapped_keys,
                detectors=detectors,
                secret=known,
            )
        tags = compiled.tags
        self._claimant = marks.Claimant(
            tags,
            inspected_dates=inspected_dates(self._text),
            covers_all_text=compiled.pixels.scope is Scope.EVERYTHING,
        )
        self._markers = markers
        self.plan = replace(tags, rewritten=self._claimant.tags) if markers else tags
        self._slots = sorted(self._claimant.tags) if markers else []
        self._noted = noted_tags() if self.plan.removes_identity else marks.EARLIER | _names_if(self._text)
        self._tables = Tables(self.plan, self._noted)
        self._searching = Tables(self.plan, self._noted, searching=True)
        self._facts = FactsOfInstances()
        self.warnings: tuple[str, ...] = what_stays(self.plan, self._text)
        self._contexts: Contexts | None = None
        if self._text is not None:
            self.warnings += self._text.warnings
            self._contexts = Contexts(self._text)
        self._redactor: Any = None
        if compiled.pixels.looks:
            from healthcare_deid.engine.pixels.redactor import PixelRedactor

            self._redactor = PixelRedactor(
                compiled.pixels, ocr=ocr, thorough=thorough, every_frame=every_frame, service_limits=service_limits
            )

    def __repr__(self) -> str:
        return f"Deidentifier({self.plan.name!r})"

    @property
    def looks_at_pixels(self) -> bool:
        """Whether burned-in text is looked for."""
        return self._pixels.looks

    @property
    def needs_secret(self) -> bool:
        """Whether something is shifted or hashed with no key of the config's: two deidentifiers then differ."""
        return self._text is not None and self._text.uses_own_keys(shifts=self.plan.shifts_dates)

    @border
    def deidentify(self, dataset: Dataset) -> DeidentifyResult:
        """De-identify one instance.

        Args:
            dataset: The instance; it is not modified.

        Returns:
            The new instance, with fresh file meta, and what was done to it.

        Raises:
            TypeError: ``dataset`` is none.
            EngineError: It cannot be de-identified; nothing of it is returned.
        """
        check_dataset(dataset)
        return guarded(lambda: self._deidentify(dataset))

    @border
    def deidentify_file(self, source: str | PathLike[str], destination: str | PathLike[str]) -> DeidentifyResult:
        """De-identify one file into another, which appears only when it is complete.

        Args:
            source: A DICOM file.
            destination: Where the result goes; replaced if it exists. Missing folders are made.

        Raises:
            ValueError: ``destination`` is the source: the original would be lost.
            InvalidDicomError: The source is not DICOM.
            EngineError: It cannot be de-identified; nothing is written.
            OSError: A file cannot be read or written.
        """
        old, new = path_of(source, "source"), path_of(destination, "destination")
        if new.exists() and old.exists() and old.samefile(new):
            raise ValueError("the destination is the source: the original would be lost")
        if not self._pixels.looks:
            try:
                return guarded(lambda: self._rewrite(old, new), passing=UseDatasetExecutor)
            except UseDatasetExecutor:
                pass
        return guarded(lambda: self._through_dataset(old, new))

    @border
    def deidentify_tree(
        self,
        source: str | PathLike[str],
        destination: str | PathLike[str],
        *,
        run: str | PathLike[str] | None = None,
        workers: int | None = None,
        on_progress: Callable[[TreeProgress], object] | None = None,
        overwrite: bool = False,
        adopt: bool = False,
        strict: bool = False,
        names: Names = "uid",
        name_map: str | PathLike[str] | None = None,
        record: str | PathLike[str] | None = None,
    ) -> TreeReport:
        """De-identify every file of a folder into another folder, as a run that can be stopped and resumed.

        A file that fails never stops the others, and nothing is written for it. The run folder remembers what the
        results were made with: the same call goes on where a run was stopped, and one with another config is refused.
        Where the config needs a key and has none, a secret is made and kept in the user's key folder.

        Args:
            source: The folder, all folders below it too; or one file.
            destination: The folder for the results, outside ``source``.
            run: The run folder: manifest, record, failures and summary; no identity and no key. By default
                ``<destination>.run``.
            workers: Processes; by default one a core, and this process alone for few files.
            on_progress: Called in this process now and then, and at the end, with a `TreeProgress`.
            overwrite: Make results that are there again, whatever they were made with. Results of another config that
                are not made again are removed.
            adopt: Go on in a destination whose results no run folder tells of, as if they were made with this config
                and secret.
            strict: Count what is no DICOM file as a failure, and do not pass it over.
            names: What results are called. ``"uid"``: ``study/series/instance.dcm``, by their new UIDs, so that no
                name of the source's comes through; a DICOMDIR is left out, because it points at files by name.
                ``"source"``: as in the source; see that folder and file names tell nothing about patients.
            name_map: A CSV file for the names of each source file and its result; outside ``destination``. It is as
                sensitive as the source. Rows are added to it.
            record: A file for a copy of the run's record, outside ``destination``.

        Raises:
            NotADirectoryError: ``source`` is neither a folder nor a file.
            RunRefused: Another run is at work, the results were made with other settings, or the secret is lost.
            ValueError: ``destination`` is inside ``source``, or around it, or is it; or ``run``, ``name_map`` or
                ``record`` is inside either folder, or is another kind of file.
        """
        from healthcare_deid.engine.runs.tree import deidentify_tree

        return deidentify_tree(
            self,
            path_of(source, "source"),
            path_of(destination, "destination"),
            run=None if run is None else path_of(run, "run"),
            workers=workers,
            on_progress=on_progress,
            overwrite=overwrite,
            adopt=adopt,
            strict=strict,
            names=names,
            name_map=None if name_map is None else path_of(name_map, "name_map"),
            record=None if record is None else path_of(record, "record"),
        )

    @border
    def result_name(self, source: str | PathLike[str]) -> str | None:
        """Return what `deidentify_tree` calls a file's result: ``study/series/instance.dcm``, by its new UIDs.

        Returns:
            The relative name, with ``/``; None for a DICOMDIR.

        Raises:
            InvalidDicomError: The file is not DICOM.
            OSError: It cannot be read.
        """
        path = path_of(source, "source")
        return guarded(lambda: result_name(path, self.plan, self._mapper))

    def _through_dataset(self, old: Path, new: Path) -> DeidentifyResult:
        """De-identify a file by reading it into a dataset."""
        with files.opened(old) as (dataset, notes):
            result = self._deidentify(dataset, existing_parent(new))
            if result.dataset.file_meta.get("MediaStorageSOPClassUID") == MEDIA_STORAGE_DIRECTORY:
                files.write_directory(result.dataset, old, new)
            else:
                files.write(result.dataset, new)
        return DeidentifyResult(
            lambda: files.read(new)[0], result.changes, result.redactions, (*notes, *result.warnings), result.kept
        )

    def _deidentify(self, dataset: Dataset, folder: Path | None = None) -> DeidentifyResult:
        # Bound to a copy: looking at an element makes pydicom replace its raw form.
        bound = self._text.bind(private_copy(dataset)) if self._text is not None else None
        warnings = list(self.warnings)
        working = dataset
        pixels = PixelReport()
        side_changes: list[Change] = []
        removed = partial(removes, self.plan, dataset)
        old_meta: Dataset = getattr(dataset, "file_meta", None) or FileMetaDataset()
        syntax = uid_of(old_meta, meta.TRANSFER_SYNTAX_UID)
        if not is_native(syntax) or PIXEL_TAGS & dataset.keys():
            from healthcare_deid.engine.pixels.frames.side_data import strip_side_data

            working = private_copy(dataset)
            side_changes, told = strip_side_data(working, syntax, removed=removed)
            warnings.extend(told)
        if self._redactor is not None:
            working = private_copy(working)
            pixels = self._redactor.redact(working, bound, removed=removed, folder=folder)
            warnings.extend(pixels.warnings)
        own_uids = frozenset(uid for tag in _OWN if (uid := uid_of(dataset, tag)))
        old_meta = getattr(working, "file_meta", None) or FileMetaDataset()
        is_directory = uid_of(old_meta, meta.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY
        plan = directory_plan(self.plan) if is_directory else self.plan
        if is_directory:
            warnings.append(_DIRECTORY)
        values = Values(plan, self._mapper, lambda: own_uids, bound, fallback=self._fallback)
        executor = DatasetExecutor(values, self._noted)
        target = executor.apply(working)
        facts = self._facts.of(executor.noted)
        if plan.removes_identity or (self._erases_names and facts.own.has_bytes):
            own = facts.own if plan.removes_identity else None
            values = Values(
                plan, self._mapper, lambda: own_uids, bound, own=own, own_bytes=facts.own, fallback=self._fallback
            )
            executor = DatasetExecutor(values, self._noted)
            target = executor.apply(working)
        old = [(int(tag), str(item.VR), value_bytes(item)) for tag, item in items(old_meta)]
        new = self._meta(
            uid_of(target, SOP_INSTANCE_UID),
            uid_of(old_meta, MEDIA_STORAGE_SOP_INSTANCE_UID),
            uid_of(working, SOP_CLASS_UID) or uid_of(old_meta, meta.MEDIA_STORAGE_SOP_CLASS_UID),
            uid_of(old_meta, meta.TRANSFER_SYNTAX_UID) or guessed_syntax(working),
            warnings,
        )
        target.file_meta = meta.meta_dataset(new)
        target.preamble = _ZERO_PREAMBLE
        claims = self._claims(facts, executor.private_kept > 0, values, pixels)
        warnings.extend(self._concerns(facts, lambda: own_uids))
        added: list[Change] = []
        if claims is not None:
            for mark in marks.markers(claims):
                target[mark.tag] = shared(mark)
            added = marks.added(claims)
        warnings.extend(dict.fromkeys(values.warnings))
        changes = (*side_changes, *pixels.changes, *executor.changes, *meta.meta_changes(old, new), *added)
        return DeidentifyResult(target, changes, pixels.redactions, warnings, executor.kept)

    def _rewrite(self, source: Path, destination: Path) -> DeidentifyResult:
        """De-identify a file by its bytes."""
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            file = EncodedFile(descriptor)
            if file.meta.uid(meta.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY:
                raise UseDatasetExecutor  # what it points at moves
            if file.meta.end >= file.size:
                raise UseDatasetExecutor  # no dataset, or not even all of the file meta
            bound, memo = self._contexts.bind(file) if self._contexts is not None else (None, None)
            values = Values(self.plan, self._mapper, file.own_uids, bound, fallback=self._fallback)
            executor = EncodedExecutor(self._tables, values, self._slots, memo)
            pieces = file.rewrite(executor)
            facts = self._facts.of(executor.tally.noted)
            if self._must_search(facts.own, pieces):
                own = facts.own if self.plan.removes_identity else None
                values = Values(
                    self.plan, self._mapper, file.own_uids, bound, own=own, own_bytes=facts.own, fallback=self._fallback
                )
                executor = EncodedExecutor(self._searching, values, self._slots, Memo())
                pieces = file.rewrite(executor)
            pieces, side_changes, told = without_side_data(file, pieces)
            warnings = [*self.warnings, *told]
            identity = IDENTITY.find(file)
            new = self._meta(
                self._new_instance_uid(values, identity.get(SOP_INSTANCE_UID, _NOTHING)[1]),
                file.meta.uid(MEDIA_STORAGE_SOP_INSTANCE_UID),
                uid_text(identity.get(SOP_CLASS_UID, _NOTHING)[1]) or file.meta.uid(meta.MEDIA_STORAGE_SOP_CLASS_UID),
                file.syntax,
                warnings,
            )
            tally, old = executor.tally, file.meta.elements()  # the record must not hold the old header in memory
            claims = self._claims(facts, tally.private_kept > 0, values, None)
            warnings.extend(self._concerns(facts, file.own_uids))
            tally.noted.clear()
            filled = marks.encoded_markers(claims, explicit=file.explicit) if claims is not None else {}
            whole = [filled.get(piece.tag, b"") if isinstance(piece, Slot) else piece for piece in pieces]
            write_pieces([encoded_meta(new), *whole], descriptor, destination)
        except StructError:
            raise InvalidDicomError("the data ends inside an element", reason="truncated") from None
        finally:
            os.close(descriptor)
        return DeidentifyResult(
            lambda: files.read(destination)[0],
            lambda: [
                *side_changes,
                *tally.changes(),
                *meta.meta_changes(old, new),
                *(marks.added(claims) if claims else ()),
            ],
            (),
            (*warnings, *dict.fromkeys(values.warnings)),
            tally.kept,
        )

    def _must_search(self, own: OwnTerms, pieces: list[bytes | Range]) -> bool:
        """Return whether the instance's own identity may be left in its new header."""
        if self.plan.removes_identity:
            return own.may_be_in_pieces(pieces)
        return self._erases_names and own.bytes_are_in_pieces(pieces)

    @property
    def _erases_names(self) -> bool:
        """Whether the config does something to names in text."""
        return self._text is not None and self._text.decide("PERSON_NAME").transformation is not None

    def _claims(
        self, facts: Facts, private_kept: bool, values: Values, pixels: PixelReport | None
    ) -> marks.Claims | None:
        """Return what the result may say of itself; None where it is to say nothing."""
        if not self._markers:
            return None
        looked = pixels is not None and pixels.pictures > 0
        done = (values.identity_left, private_kept, looked, pixels is not None and pixels.all_text_covered)
        known = facts.claims.get(done)
        if known is None:
            known = facts.claims[done] = self._claimant.claims(
                marks.Done(*done, facts.date_operations, facts.earlier_methods, facts.earlier_codes)
            )
        return known

    def _concerns(self, facts: Facts, own_uids: Callable[[], frozenset[str]]) -> list[str]:
        """Return what a person should know about the instance, beyond what was done to single elements."""
        concerns: list[str] = []
        if self.plan.removes_identity and facts.may_show_face:
            concerns.append(FACE_LEFT)
        guessable = self._mapper.rule == "google" and Op.SHIFT in facts.date_operations
        if guessable and any(_DATE_IN_UID.search(uid) for uid in own_uids()):
            concerns.append(_SHIFT_CAN_BE_UNDONE)
        return concerns

    def _new_instance_uid(self, values: Values, old: bytes) -> str:
        rule = self.plan.rule(SOP_INSTANCE_UID, "UI")
        if rule.op is Op.DELETE:
            return ""
        changed = None if rule.op is Op.KEEP else values.new_value(rule, SOP_INSTANCE_UID, "UI", old, ())
        return uid_text(changed.value if changed else old)

    def _meta(self, new_uid: str, old_meta_uid: str, class_uid: str, syntax: str, warnings: list[str]) -> MetaValues:
        """Return file meta for the instance's new UID; where it has none, for the old file meta's."""
        if not new_uid:
            new_uid = self._mapper.map(old_meta_uid) if self.plan.uids.primary else old_meta_uid
        if not new_uid:
            new_uid = generate_uid(prefix=None)
            warnings.append(_NO_UID)
        if not is_uid(class_uid):
            class_uid = ""
            warnings.append(_NO_CLASS)
        if syntax and not is_uid(syntax):
            raise InvalidDicomError("the transfer syntax is no UID", reason="broken")
        return meta.meta_values(new_uid, class_uid, syntax or ExplicitVRLittleEndian)
