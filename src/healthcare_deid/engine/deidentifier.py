"""One instance in, one instance out, with a record of every change."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from healthcare_deid._border import border
from healthcare_deid.engine.dicom.sinks import FileSink, MemorySink
from healthcare_deid.engine.dicom.sources import InMemory, bytes_of, opened_source
from healthcare_deid.engine.header.fast.encoded_file import encoded_file
from healthcare_deid.engine.identity.key_folder import found_secret
from healthcare_deid.engine.identity.places import refuse_among
from healthcare_deid.engine.instance import InstanceEngine
from healthcare_deid.engine.options import EngineOptions
from healthcare_deid.engine.plan.compile import compile_config
from healthcare_deid.engine.results import BytesResult, DeidentifyResult, Failure
from healthcare_deid.engine.safe_errors import check_dataset, guarded, path_of
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
    from healthcare_deid.engine.dicom.sources import Encoded
    from healthcare_deid.engine.identity.date_settings import Dates
    from healthcare_deid.engine.identity.pseudonyms import Pseudonyms
    from healthcare_deid.engine.identity.rewriting import Replacement
    from healthcare_deid.engine.options import Edition, OtherUids, UidRule, Verify
    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.pixels.masks.mask_files import Masks
    from healthcare_deid.engine.results import TreeProgress, TreeReport
    from healthcare_deid.engine.runs.admission import Admission
    from healthcare_deid.engine.runs.naming import Names
    from healthcare_deid.engine.runs.originals import Originals
    from healthcare_deid.engine.runs.stores import Store
    from healthcare_deid.engine.text.find.detectors.base import Detector


class Deidentifier:
    """De-identifies DICOM instances on this machine. Compiled once; use it for as many instances as there are.

    It can be pickled, and copies in other processes do the same to the same instance.

    Args:
        config: What to do; the API's own message, of either version.
        patient_keys: Keys for date shifts by patient ID, stronger than the config's.
        date_shift_days: Dates are shifted by at most this many days, back or forth.
        secret: The project's secret: at least 16 bytes, a file that holds them, or a name in the key folder. Dates,
            hashes, UIDs and pseudonyms are keyed with what is derived from it, so that every run and machine that has
            it gives the same. A key in the config is stronger, and so is ``uid_rule``. By default, what the
            environment says (``HEALTHCARE_DEID_SECRET``, ``HEALTHCARE_DEID_SECRET_FILE``).
        uid_rule: ``"google"`` (compatible with the service) or ``"salted"`` (needs ``salt`` to recompute). By default
            With a ``secret``, UIDs are keyed. Without one they follow the service's rule.
        salt: Secret of at least 16 bytes for ``"salted"``.
        markers: Write de-identification markers: (0012,0062), (0012,0063), (0012,0064), (0028,0301),
            (0028,0303).
        edition: PS3.15 edition of the Basic Profile: the API's, or the current one.
        options: Options of the Basic Profile (PS3.15 Table E.1-1); not part of the API.
        safe_private: Private elements that may stay, beside those of PS3.15 table E.3.10-1 that the option
            ``retain_safe_private`` keeps: ``"GEMS_ACQU_01,0019,02"`` is (0019,xx02) of that creator.
        other_uids: What happens to UIDs besides the study's, series' and instance's: ``"profile"`` does what the
            config's profile does, ``"keep"`` leaves them, references too, unless the Basic Profile's table names them,
            ``"map"`` regenerates them all.
        strict_edition: Follow ``edition`` to the letter: attributes stay that only a later edition lists, or none does,
            and results do not say that the identity was removed.
        strict_keep_list: Let keep modes remove SOPClassUID unless it is listed.
        nested: False lets a keepList or removeList reach top-level elements only, as Google's offline redactor does:
            a sequence that stays keeps all it holds, UIDs excepted. Every result warns of it.
        thorough: Look for tiny, faint and rotated burned-in text too.
        scout: Let a smaller detector look for burned-in text first: faster, with less of faint text found.
        every_frame: Cover burned-in text that is found in one frame in all of them: text that fades or flickers.
        service_limits: Refuse instances whose pixels the service would not redact for their size, instead of warning.
        ocr: What finds and reads burned-in text, in place of the engine's own; ``"never"`` looks for none on devices
            that a mask is of.
        masks: Regions that are covered by device, in any mode: a file (JSON, a CTP pixel script, or a recipe of
            pydicom's deid), or a list of files and `DeviceMask`.
        verify: ``"tesseract"`` looks at the pixels of every result with a second OCR, and counts what it still reads; a
            warning tells of it.
        unwrapped_keys: Plain keys by ``wrappedKey`` (bytes, or base64 text), where Cloud KMS has wrapped the config's:
            this machine cannot unwrap them.
        detectors: Further detectors of sensitive text: custom infoTypes, or a language model.
        fallback_charset: The character set, as a DICOM term (``"GB18030"``) or a Python encoding, to try first for text
            that is not in the one its instance names: what a site knows about its archive.
        max_inflated: Refuse deflated files that hold more bytes than this.
        max_frame_pixels: Refuse to look at frames of more pixels than this.
        threads: Threads that look at the frames of one instance; by default one a core, and one in a worker process,
            where the processes share the cores out.
        pseudonyms: New patient IDs, names, accession numbers and study IDs, whatever the profile does to them.
        dates: Shift every date that would stay, and those in text, by one number of days for each patient.
        set_values: Values of the project's own by keyword or tag; the elements are added where they are missing.
        replace: Patterns to rewrite in attributes: tag, regular expression, and what stands in its place.
        uid_root: New UIDs begin with this root of yours; they need ``secret`` or ``salt``.
        recipients: Certificates' files: every result holds its original attributes, encrypted for these recipients
            (0400,0500); with ``vault``, the vault is encrypted for them instead.
        vault: A file that says whose each pseudonym and new UID is: SQLite, or CSV by its suffix. It is as sensitive
            as the originals.
        encrypted_attributes: With ``vault`` and ``recipients``: encrypted original attributes in every result too.

    Attributes:
        config: As given.
        options: The arguments besides the config.
        plan: What happens to every tag.
        warnings: What a person should know about the config; every result repeats it.
        instances: What works on one instance after the other. Not public.

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
        scout: bool = False,
        every_frame: bool = False,
        service_limits: bool = False,
        ocr: Ocr | Literal["never"] | None = None,
        masks: Masks = (),
        verify: Verify | None = None,
        unwrapped_keys: Mapping[str | bytes, bytes] | None = None,
        detectors: Sequence[Detector] = (),
        fallback_charset: str = "",
        max_inflated: int = 1 << 29,
        max_frame_pixels: int = 100_000_000,
        threads: int | None = None,
        pseudonyms: Pseudonyms | None = None,
        dates: Dates | None = None,
        set_values: Mapping[str, str] | None = None,
        replace: Sequence[Replacement | tuple[str, str, str]] = (),
        uid_root: str = "",
        recipients: Sequence[str | PathLike[str]] = (),
        vault: str | PathLike[str] | None = None,
        encrypted_attributes: bool = False,
    ) -> None:
        chosen = EngineOptions(
            patient_keys=patient_keys,
            date_shift_days=date_shift_days,
            secret=found_secret(secret),
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
            scout=scout,
            every_frame=every_frame,
            service_limits=service_limits,
            ocr=ocr,
            masks=masks,
            verify=verify,
            unwrapped_keys=unwrapped_keys,
            detectors=detectors,
            fallback_charset=fallback_charset,
            max_inflated=max_inflated,
            max_frame_pixels=max_frame_pixels,
            threads=threads,
            pseudonyms=pseudonyms,
            dates=dates,
            set_values=set_values,
            replace=replace,
            uid_root=uid_root,
            recipients=recipients,
            vault=vault,
            encrypted_attributes=encrypted_attributes,
        )
        self.options = chosen
        self.config = config
        self.instances = InstanceEngine(compile_config(config, chosen), chosen)
        self.plan = self.instances.plan
        self.warnings = self.instances.warnings

    def __repr__(self) -> str:
        return f"Deidentifier({self.plan.name!r})"

    @property
    def looks_at_pixels(self) -> bool:
        """Whether burned-in text is looked for."""
        return self.instances.looks_at_pixels

    @border
    def warm(self) -> None:
        """Load what the config needs, word lists and models, so that the first instance need not wait for it.

        Raises:
            ModelNotFoundError: Burned-in text is to be found, and no text model is installed.
            EngineError: Something else that the config needs does not work here.
        """
        from healthcare_deid.engine.warm_up import example

        guarded(lambda: self.instances.encode(InMemory(example()), MemorySink()))

    @property
    def needs_secret(self) -> bool:
        """Whether something is shifted or hashed with no key of the config's: two deidentifiers then differ."""
        return self.instances.needs_secret

    def with_secret(self, secret: str | PathLike[str]) -> Self:
        """Return a deidentifier that differs only in its secret.

        Raises:
            ConfigError: It is no secret.
            OSError: It cannot be read.
        """
        given: dict[str, Any] = {one.name: getattr(self.options, one.name) for one in fields(self.options)}
        given["secret"] = secret
        return type(self)(self.config, **given)

    @border
    def deidentify(self, dataset: Dataset) -> DeidentifyResult:
        """De-identify one instance.

        Args:
            dataset: The instance; it is not modified.

        Returns:
            The new instance, with fresh file meta, and what was done to it.

        Raises:
            TypeError: *dataset* is not a pydicom Dataset.
            EngineError: It cannot be de-identified; nothing of it is returned.
        """
        check_dataset(dataset)
        return guarded(lambda: self.instances.deidentify(dataset))

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
        if _is_same_file(old, new):
            raise ValueError("the destination is the source: the original would be lost")

        def work() -> DeidentifyResult:
            with opened_source(old) as file:
                return self.instances.encode(file, FileSink(new))

        return guarded(work)

    @overload
    def deidentify_bytes(self, data: Encoded, *, errors: Literal["raise"] = "raise") -> BytesResult: ...

    @overload
    def deidentify_bytes(self, data: Encoded, *, errors: Literal["return"]) -> BytesResult | Failure: ...

    @border
    def deidentify_bytes(self, data: Encoded, *, errors: Literal["raise", "return"] = "raise") -> BytesResult | Failure:
        """De-identify one encoded instance into another, in memory.

        Args:
            data: A DICOM file's bytes, or a binary file, which is read from where it stands.
            errors: ``"raise"``, or ``"return"`` for a `Failure` in place of an exception: in a pipeline, one instance
                must not stop the others.

        Returns:
            The result's bytes, its name and its record; a `Failure` where it failed and ``errors`` says so.

        Raises:
            TypeError: ``data`` is neither bytes nor a binary file.
            ValueError: ``errors`` is something else.
            InvalidDicomError: It is not DICOM.
            EngineError: It cannot be de-identified; nothing of it is returned.
            OSError: The file cannot be read.
        """
        if errors not in ("raise", "return"):
            raise ValueError("errors is 'raise' or 'return'")
        try:
            return guarded(partial(self._bytes, bytes_of(data)))
        except (EngineError, OSError, MemoryError) as error:
            if errors == "raise":
                raise
            return Failure.of("", error)

    def _bytes(self, data: bytes) -> BytesResult:
        source, sink = InMemory(data), MemorySink()
        file = encoded_file(source)
        name = self.instances.result_name(source, file)
        result = self.instances.encode(source, sink, file)
        size = len(sink.data)

        def record() -> str:
            return "" if name is None else result.record(name, hashlib.sha256(data).hexdigest(), size)

        return BytesResult(sink.data, name, record, result.redactions, result.warnings, result.looks)

    @border
    def deidentify_tree(
        self,
        source: str | PathLike[str] | Sequence[str | PathLike[str]] | Originals,
        destination: str | PathLike[str] | Store,
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
        admit: Admission | str | PathLike[str] | None = None,
        quarantine: str | PathLike[str] | None = None,
        dicomdir: bool = False,
        command: str = "Deidentifier.deidentify_tree",
    ) -> TreeReport:
        """De-identify every file of a folder into another folder, as a run that can be stopped and resumed.

        A file that fails never stops the others, and nothing is written for it. The run folder remembers what the
        results were made with: the same call goes on where a run was stopped, and one with another config is refused.
        Where the config needs a key and has none, a secret is made and kept in the user's key folder.

        Args:
            source: The folder, all folders below it too; one file; a ``.zip`` or ``.tar`` archive, compressed or not,
                which is read in place; the DICOMDIR of a CD; a list of files and folders; a URL of an object store
                (``s3://bucket/prefix``; extra ``cloud``); or `Originals`, such as a DICOM store's.
            destination: The folder for the results, outside ``source``; a URL of an object store; or a `Store`.
            run: The run folder: manifest, record, failures and summary; no identity and no key. By default
                ``<destination>.run``; a destination that is not a folder needs one.
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
            admit: Rules of what may leave at all, or their file; nothing is written for an instance that they refuse.
            quarantine: A folder for copies of the sources that failed, filled when the run ends; originals, so it is
                outside ``source``, ``destination`` and ``run``.
            dicomdir: Make a File-set of the results at the end, ``<destination>.fileset``: a DICOMDIR, and links to the
                results by names that it can hold.
            command: What the run's report says was called, for a program of yours; no path and no name of a patient.

        Raises:
            NotADirectoryError: ``source`` is neither a folder nor a file.
            RunInProgress: Another run is at work on the destination.
            RunRefused: The results were made with other settings, or the secret is lost.
            ValueError: ``destination`` is inside ``source``, or around it, or is it; or ``run``, ``name_map``,
                ``record`` or ``quarantine`` is inside either folder, or is another kind of file.
            ConfigError: A URL that no run can read or write, ``run`` is missing, or no File-set can be made.
            MissingExtraError: A URL needs the extra ``cloud``.
            EngineError: A store cannot be listed.
        """
        from healthcare_deid.engine.runs.ends import folders_of, originals_of, run_folder_of, store_of
        from healthcare_deid.engine.runs.tree import deidentify_tree

        originals, store = originals_of(source), store_of(destination)
        folder = run_folder_of(run, store)
        refuse_among(self.options, (*folders_of(originals, store), folder))
        return deidentify_tree(
            self,
            originals,
            store,
            run=folder,
            workers=workers,
            on_progress=on_progress,
            overwrite=overwrite,
            adopt=adopt,
            strict=strict,
            names=names,
            name_map=None if name_map is None else path_of(name_map, "name_map"),
            record=None if record is None else path_of(record, "record"),
            admit=path_of(admit, "admit") if isinstance(admit, str | PathLike) else admit,
            quarantine=None if quarantine is None else path_of(quarantine, "quarantine"),
            dicomdir=dicomdir,
            command=command,
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

        def name() -> str | None:
            with opened_source(path) as file:
                return self.instances.result_name(file, encoded_file(file))

        return guarded(name)


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        return False
