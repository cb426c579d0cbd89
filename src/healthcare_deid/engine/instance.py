"""One instance on its way through the compiled plan: header, text, pixels, markers."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from struct import error as StructError  # noqa: N812 - an exception, named as one
from typing import TYPE_CHECKING, Self

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from healthcare_deid.engine.dicom import file_meta as meta
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.charsets import encoding_named
from healthcare_deid.engine.dicom.datasets import (
    guessed_syntax,
    items,
    may_hold_pictures,
    private_copy,
    shared,
    uid_of,
    value_bytes,
)
from healthcare_deid.engine.dicom.directory import MEDIA_STORAGE_DIRECTORY
from healthcare_deid.engine.dicom.elements import known_vr
from healthcare_deid.engine.dicom.sidedata import UNEXAMINED
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
from healthcare_deid.engine.header import originals
from healthcare_deid.engine.header.dataset_executor import DatasetExecutor, removes
from healthcare_deid.engine.header.facts import (
    FACE_LEFT,
    OLD_AGE_LEFT,
    OTHER_IDS_SEQUENCE,
    Facts,
    FactsOfInstances,
    noted_tags,
)
from healthcare_deid.engine.header.fast.dataset_writer import Slot
from healthcare_deid.engine.header.fast.encoded_executor import EncodedExecutor
from healthcare_deid.engine.header.fast.encoded_file import EncodedFile, encoded_meta
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.frame_side_data import without_side_data
from healthcare_deid.engine.header.fast.lookup import IDENTITY, own_uids
from healthcare_deid.engine.header.fast.tables import DecisionTables
from healthcare_deid.engine.header.fast.text_contexts import Contexts
from healthcare_deid.engine.header.fast.value_cache import Memo
from healthcare_deid.engine.header.instance_rewriting import IDENTIFIERS
from healthcare_deid.engine.header.originals import ENCRYPTED_ATTRIBUTES, ENCRYPTED_REASON
from healthcare_deid.engine.header.rewriting import rewriter_of, set_elements
from healthcare_deid.engine.header.values import Values
from healthcare_deid.engine.header.vaulted import Keeper
from healthcare_deid.engine.identity.envelope import Recipients
from healthcare_deid.engine.identity.key_folder import open_secret
from healthcare_deid.engine.identity.vault import Vault
from healthcare_deid.engine.plan.directory import directory_plan
from healthcare_deid.engine.plan.pixels import Scope
from healthcare_deid.engine.plan.profiles import SOP_CLASS_UID
from healthcare_deid.engine.plan.rules import Op
from healthcare_deid.engine.plan.safe_private_table import makers_of
from healthcare_deid.engine.result_names import result_name
from healthcare_deid.engine.results import DeidentifyResult, PixelReport
from healthcare_deid.engine.stages import certain_detectors, redactor, text_engine, uid_mapper, verification
from healthcare_deid.engine.text.effects import inspected_dates, what_stays
from healthcare_deid.engine.text.find.own_values import name_tags
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthcare_deid.engine.dicom.file_meta import MetaValues
    from healthcare_deid.engine.dicom.sinks import Sink
    from healthcare_deid.engine.dicom.sources import Range, Source
    from healthcare_deid.engine.options import EngineOptions
    from healthcare_deid.engine.pixels.redactor import PixelRedactor
    from healthcare_deid.engine.plan.plan import Plan
    from healthcare_deid.engine.results import Change
    from healthcare_deid.engine.text.engine import TextEngine
    from healthcare_deid.engine.text.find.own_terms import OwnTerms


_ZERO_PREAMBLE = bytes(128)
_NOTHING = (b"", b"")
_TAG_DIGITS = 8
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


class InstanceEngine:
    """Applies a compiled plan to one instance after the other.

    Args:
        compiled: The plan.
        options: The engine's own arguments.

    Attributes:
        plan: The tag plan, markers included.
        mapper: New UIDs for old ones.
        warnings: What a person should know about the config; every result repeats it.
        looks_at_pixels: Whether burned-in text is looked for.

    Raises:
        ConfigError: A key cannot be had here, or an option makes no sense.
    """

    def __init__(self, compiled: Plan, options: EngineOptions) -> None:
        self.looks_at_pixels = compiled.pixels.looks or bool(options.masks)
        known = open_secret(options.secret)
        self._rewriter = rewriter_of(options, known)
        recipients = Recipients(options.recipients) if options.recipients else None
        vault = None if options.vault is None else Vault(Path(options.vault), recipients)
        self._recipients = recipients if vault is None or options.encrypted_attributes else None
        self.mapper = uid_mapper(options, known)
        self._fallback = encoding_named(options.fallback_charset)
        self._text = text_engine(compiled, options, known)
        tags = compiled.tags
        self._claimant = marks.Claimant(
            tags,
            inspected_dates=inspected_dates(self._text),
            covers_all_text=compiled.pixels.scope is Scope.EVERYTHING,
        )
        self._markers = options.markers
        self._max_inflated = options.max_inflated
        claimed = dict.fromkeys(self._claimant.tags, "marker") if options.markers else {}
        written, rewritten = (self._rewriter.written, self._rewriter.rewritten) if self._rewriter else ({}, {})
        sealed = {ENCRYPTED_ATTRIBUTES: ENCRYPTED_REASON} if self._recipients is not None else {}
        self.plan = replace(
            tags,
            written=written | claimed | sealed,
            rewritten=rewritten,
            rewritten_vrs=self._rewriter.rewritten_vrs if self._rewriter is not None else {},
        )
        self._slots = sorted(self.plan.written)
        self._named_creators = frozenset(creator for creator, *_ in self.plan.private_tags)
        self._keeper = Keeper(vault, self.plan, self.mapper)
        self._pseudonymizes = options.pseudonyms is not None
        self._noted = noted_tags() if self.plan.removes_identity else marks.EARLIER | _names_if(self._text)
        if self._pseudonymizes:
            self._noted |= IDENTIFIERS | {OTHER_IDS_SEQUENCE}
        self._tables = DecisionTables(self.plan, self._noted)
        self._searching = DecisionTables(self.plan, self._noted, searching=True)
        patterns = self._rewriter.patterns if self._rewriter is not None else {}
        staying = frozenset(filter(self._stays, patterns))
        self._facts = FactsOfInstances(patterns, staying, certain_detectors(options))
        self.warnings: tuple[str, ...] = what_stays(self.plan, self._text)
        if self._text is not None:
            self.warnings += self._text.warnings
        if self._rewriter is not None:
            self.warnings += self._rewriter.concerns(self.plan)
        self._contexts = Contexts(self._text, self._rewriter, self.plan)
        self._redactor = redactor(compiled, options)
        self._verification = verification(compiled, options)

    @property
    def needs_secret(self) -> bool:
        """Whether something is shifted or hashed with no key of the config's: two engines then differ."""
        return self._text is not None and self._text.uses_own_keys(shifts=self.plan.has_shifts)

    def with_pixels(self, redactor: PixelRedactor) -> Self:
        """Return an engine that differs only in what covers its pixels."""
        other = copy(self)
        other._redactor, other.looks_at_pixels = redactor, True
        return other

    def result_name(self, source: Source, file: EncodedFile | None) -> str | None:
        """Return the name of an instance's result, as `result_names.result_name` does."""
        return result_name(source, file, self.plan, self.mapper)

    def encode(self, source: Source, sink: Sink, file: EncodedFile | None = None) -> DeidentifyResult:
        """De-identify one encoded instance into another: the way of files and of bytes.

        Args:
            source: The instance.
            sink: Where the result goes.
            file: The same instance, if its file meta has been read already.
        """
        by_dataset = self.looks_at_pixels or self._recipients is not None
        result = None if by_dataset else self.rewrite(source, sink, file)
        return result if result is not None else self._through_dataset(source, sink)

    def _through_dataset(self, source: Source, sink: Sink) -> DeidentifyResult:
        """De-identify an encoded instance by reading it into a dataset."""
        dataset, notes = files.read_source(source, max_inflated=self._max_inflated)
        result = self.deidentify(dataset, sink.folder)
        with sink.stream() as file:
            if result.dataset.file_meta.get("MediaStorageSOPClassUID") == MEDIA_STORAGE_DIRECTORY:
                files.encode_directory(result.dataset, source, file)
            else:
                files.encode(result.dataset, file)
        stayed = [int(tag, 16) for tag in result.kept_tags]
        warnings = (*notes, *result.warnings)
        return DeidentifyResult(
            *(sink.read, result.changes, result.redactions, warnings, result.kept, stayed, result.looks),
            creators=result.creators,
        )

    def deidentify(self, dataset: Dataset, folder: Path | None = None) -> DeidentifyResult:
        """De-identify a dataset, which stays as it is.

        Args:
            dataset: The instance.
            folder: Where temporary files for large pixel data are made; by default where the system makes them.

        Raises:
            EngineError: It cannot be de-identified.
        """
        # Bound to a copy: looking at an element makes pydicom replace its raw form.
        rewriting = self._rewriter.bind_dataset(dataset, self.plan) if self._rewriter is not None else None
        person, pseudonyms = (rewriting.person, rewriting.pseudonyms) if rewriting is not None else (None, None)
        bound = self._text.bind(private_copy(dataset), person, pseudonyms) if self._text is not None else None
        warnings = list(self.warnings)
        working = dataset
        pixels = PixelReport()
        side_changes: list[Change] = []
        unexamined = False
        removed = partial(removes, self.plan, dataset)
        old_meta: Dataset = getattr(dataset, "file_meta", None) or FileMetaDataset()
        syntax = uid_of(old_meta, meta.TRANSFER_SYNTAX_UID)
        if not is_native(syntax) or may_hold_pictures(dataset):
            from healthcare_deid.engine.pixels.frames.side_data import strip_side_data

            working = private_copy(dataset)
            side_changes, told = strip_side_data(working, syntax, removed=removed)
            unexamined = not UNEXAMINED.isdisjoint(told)
            warnings.extend(told)
        if self._redactor is not None:
            working = private_copy(working)
            pixels = self._redactor.redact(working, bound, removed=removed, folder=folder)
            warnings.extend(pixels.warnings)
        uids = frozenset(uid for tag in _OWN if (uid := uid_of(dataset, tag)))
        old_meta = getattr(working, "file_meta", None) or FileMetaDataset()
        is_directory = uid_of(old_meta, meta.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY
        plan = directory_plan(self.plan) if is_directory else self.plan
        if is_directory:
            warnings.append(_DIRECTORY)
        made = partial(Values, plan, self.mapper, lambda: uids, bound, fallback=self._fallback, rewriting=rewriting)
        values = made()
        executor = DatasetExecutor(values, self._noted)
        target = executor.apply(working)
        facts = self._facts.of(executor.noted)
        if self._searches or (self._erases_names and facts.own.has_bytes):
            values = made(own=facts.own if self._searches else None, own_bytes=facts.own)
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
        self._keeper.keep_dataset(dataset, rewriting, bound)
        target.file_meta = meta.meta_dataset(new)
        target.preamble = _ZERO_PREAMBLE
        values.note_written(facts.own)
        values.identity_left |= unexamined
        if rewriting is not None:
            for item in rewriting.written:
                target[item.tag] = item.element()
        if self._verification is not None:
            pixels, told_of_pixels = self._verification.of(target, pixels, bound)
            warnings.extend(told_of_pixels)
        claims = self._claims(facts, executor.private_kept > 0, values, pixels)
        warnings.extend(self._concerns(facts, lambda: uids))
        added = set_elements(rewriting, executor.changes)
        if claims is not None:
            for mark in marks.markers(claims):
                target[mark.tag] = shared(mark)
            added += marks.added(claims)
        warnings.extend(dict.fromkeys(values.warnings))
        if self._recipients is not None and not is_directory:
            added.append(originals.seal(target, dataset, executor.changes, added, self._recipients))
        changes = (*side_changes, *pixels.changes, *executor.changes, *meta.meta_changes(old, new), *added)
        stayed = _unchanged(executor.stayed, (*side_changes, *pixels.changes))
        return DeidentifyResult(
            *(target, changes, pixels.redactions, warnings, executor.kept, stayed, pixels.looks),
            creators=makers_of(executor.creators, self._named_creators),
        )

    def rewrite(self, source: Source, sink: Sink, file: EncodedFile | None = None) -> DeidentifyResult | None:
        """De-identify an encoded instance by its bytes; None, and nothing written, where their form is not rewritten.

        Raises:
            InvalidDicomError: The data ends inside an element.
        """
        try:
            file = file or EncodedFile(source)
            if file.meta.uid(meta.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY:
                return None  # what it points at moves
            if file.meta.end >= file.size:
                return None  # no dataset, or not even all of the file meta
            uids = partial(own_uids, file)
            bound, memo, rewriting = self._contexts.bind(file)
            made = partial(Values, self.plan, self.mapper, uids, bound, fallback=self._fallback, rewriting=rewriting)
            values = made()
            executor = EncodedExecutor(self._tables, values, self._slots, memo)
            pieces = file.rewrite(executor)
            facts = self._facts.of(executor.tally.noted)
            if self._must_search(facts.own, pieces):
                values = made(own=facts.own if self._searches else None, own_bytes=facts.own)
                executor = EncodedExecutor(self._searching, values, self._slots, Memo())
                pieces = file.rewrite(executor)
            pieces, side_changes, told = without_side_data(file, pieces)
            values.identity_left |= not UNEXAMINED.isdisjoint(told)
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
            values.note_written(facts.own)
            self._keeper.keep_file(file, rewriting, bound)
            claims = self._claims(facts, tally.private_kept > 0, values, None)
            warnings.extend(self._concerns(facts, uids))
            tally.noted.clear()
            filled = dict(marks.encoded_markers(claims, explicit=file.explicit)) if claims is not None else {}
            if rewriting is not None:
                filled |= rewriting.encoded(explicit=file.explicit)
            whole = [filled.get(piece.tag, b"") if isinstance(piece, Slot) else piece for piece in pieces]
            sink.write_pieces([encoded_meta(new), *whole], source)
        except UseDatasetExecutor:
            return None
        except StructError:
            raise InvalidDicomError("the data ends inside an element", reason="truncated") from None
        return DeidentifyResult(
            sink.read,
            lambda: [
                *side_changes,
                *(changes := tally.changes()),
                *meta.meta_changes(old, new),
                *set_elements(rewriting, changes),
                *(marks.added(claims) if claims else ()),
            ],
            (),
            (*warnings, *dict.fromkeys(values.warnings)),
            tally.kept,
            _unchanged(tally.stayed, side_changes),
            creators=makers_of(tally.all_creators(), self._named_creators),
            signature=lambda: (
                tuple(side_changes),
                tally.signature(),
                tuple(meta.meta_changes(old, new)),
                tuple((item.tag, item.vr, item.reason) for item in rewriting.written) if rewriting else (),
                claims,
            ),
        )

    def _stays(self, tag: int) -> bool:
        """Return whether an element stays where no pattern is found in it."""
        beneath = self.plan.rule(tag, known_vr(tag)).beneath
        return beneath is not None and beneath.op in (Op.KEEP, Op.CHECK)

    def _must_search(self, own: OwnTerms, pieces: list[bytes | Range]) -> bool:
        """Return whether the instance's own identity may be left in its new header."""
        if self._searches:
            return own.may_be_in_pieces(pieces)
        return self._erases_names and own.bytes_are_in_pieces(pieces)

    @property
    def _searches(self) -> bool:
        """Whether everything that stays is searched for the instance's own names and numbers."""
        return self.plan.removes_identity or self._pseudonymizes

    @property
    def _erases_names(self) -> bool:
        """Whether the config does something to names in text."""
        return self._text is not None and self._text.decide("PERSON_NAME").transformation is not None

    def _claims(
        self, facts: Facts, private_kept: bool, values: Values, pixels: PixelReport | None
    ) -> marks.DeidentificationClaims | None:
        """Return what the result may say of itself; None where it is to say nothing."""
        if not self._markers:
            return None
        looked = pixels is not None and pixels.pictures > 0 and not pixels.masks_alone
        done = (values.identity_left, private_kept, looked, pixels is not None and pixels.all_text_covered)
        known = facts.claims.get(done)
        if known is None:
            known = facts.claims[done] = self._claimant.claims(
                marks.Done(*done, facts.date_operations, facts.earlier_methods, facts.earlier_codes)
            )
        return known

    def _concerns(self, facts: Facts, uids: Callable[[], frozenset[str]]) -> list[str]:
        """Return what a person should know about the instance, beyond what was done to single elements."""
        concerns: list[str] = []
        if self.plan.removes_identity and facts.may_show_face:
            concerns.append(FACE_LEFT)
        if self.plan.removes_identity and facts.keeps_old_age:
            concerns.append(OLD_AGE_LEFT)
        guessable = self.mapper.rule == "google" and Op.SHIFT in facts.date_operations
        if guessable and any(_DATE_IN_UID.search(uid) for uid in uids()):
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
            new_uid = self.mapper.map(old_meta_uid) if self.plan.uids.primary else old_meta_uid
        if not new_uid:
            new_uid = generate_uid(prefix=None)
            warnings.append(_NO_UID)
        if not is_uid(class_uid):
            class_uid = ""
            warnings.append(_NO_CLASS)
        if syntax and not is_uid(syntax):
            raise InvalidDicomError("the transfer syntax is no UID", reason="broken")
        return meta.meta_values(new_uid, class_uid, syntax or ExplicitVRLittleEndian)


def _unchanged(stayed: list[int], changes: Iterable[Change]) -> list[int]:
    """Return the tags of what stayed, without those of pictures and side data that were changed for themselves."""
    changed = {int(change.path, 16) for change in changes if len(change.path) == _TAG_DIGITS}
    return [tag for tag in stayed if tag not in changed] if changed else stayed
