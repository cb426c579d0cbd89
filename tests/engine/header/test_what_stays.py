"""Kept values: valid for their VR, without the patient's identity, and with new UIDs in text."""

from __future__ import annotations

import re
import struct
import warnings
from typing import TYPE_CHECKING, Any, Literal

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, PatternDetector, WordsDetector
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.elements import is_private
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.text.find.detectors.base import MODEL

if TYPE_CHECKING:
    from pathlib import Path

BASIC: Literal["ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"] = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
CONTENTS: Literal["DEIDENTIFY_TAG_CONTENTS"] = "DEIDENTIFY_TAG_CONTENTS"
KEEP_ALL = "KEEP_ALL_PROFILE"
CLEANING = ["clean_descriptors", "clean_structured_content", "clean_graphics"]
IVANOV = "\u0418\u0432\u0430\u043d\u043e\u0432^\u041f\u0451\u0442\u0440"
STUDY, SERIES, INSTANCE = "1.2.826.77.20210314.1", "1.2.826.77.20210314.2", "1.2.826.77.20210314.3"


def by_bytes(deidentifier: Deidentifier, source: Path, target: Path) -> Any:
    return deidentifier.deidentify_file(source, target)


def by_dataset(deidentifier: Deidentifier, source: Path, target: Path) -> Any:
    with files.opened(source) as (dataset, _):
        result = deidentifier.deidentify(dataset)
        files.write(result.dataset, target)
    return result


WAYS = [by_bytes, by_dataset]


def instance(**attributes: Any) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(INSTANCE)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, SERIES
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Brzezicka^Halina", "KH-0077120483", "19580203"
    dataset.AccessionNumber, dataset.Modality = "88120417", "CT"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def saved(dataset: Dataset, path: Path) -> Path:
    dataset.preamble = bytes(128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, of text that is planted in another character set
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def engine(profile: str = BASIC, **options: Any) -> Deidentifier:
    return Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}), **options)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "typed",
    [
        "pt Brzezicka",
        "HALINA BRZEZICKA",
        "brzezicka,halina",
        "Brzezicka Halina 03.02.1958",
        "id 77120483",
        "KH0077120483",
        "acc 88120417",
        "born 3 Feb 1958",
        "1958-02-03",
    ],
)
def test_the_patients_identity_is_erased_from_text_that_no_rule_inspects(way: Any, typed: str, tmp_path: Path) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "T-D3000", "SRT", typed
    deeper = Dataset()
    deeper.SegmentLabel, deeper.AnatomicRegionSequence = typed, [item]
    dataset = instance(ContentDescription=typed, BodyPartExamined="CHEST", SegmentSequence=[deeper])

    result = way(engine(), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    data = (tmp_path / "out.dcm").read_bytes().lower()
    for term in (b"brzezicka", b"halina", b"77120483", b"88120417", b"1958"):
        assert term not in data
    assert result.dataset.PatientIdentityRemoved == "YES"
    assert result.dataset.BodyPartExamined == "CHEST"
    assert result.dataset.SegmentSequence[0].AnatomicRegionSequence[0].CodeValue == "T-D3000"
    assert "own-identity" in {change.rule for change in result.changes}


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_is_a_clinical_word_does_not_damage_text(way: Any, tmp_path: Path) -> None:
    dataset = instance(PatientName="Chest^Wall", ContentDescription="chest wall and ribs", RTImageLabel="left breast")

    result = way(engine(), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm").dataset

    assert result.RTImageLabel == "left breast"


@pytest.mark.parametrize("way", WAYS)
def test_a_code_is_not_rewritten_and_the_result_does_not_claim_removal(way: Any, tmp_path: Path) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "BRZEZICKA", "99SITE", "a region"

    result = way(engine(), saved(instance(AnatomicRegionSequence=[item]), tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert result.dataset.AnatomicRegionSequence[0].CodeValue == "BRZEZICKA"
    assert "PatientIdentityRemoved" not in result.dataset
    assert [warning for warning in result.warnings if "does not claim" in warning]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("declared", "encoding", "name", "text"),
    [
        (None, "gbk", "\u738b^\u5efa\u56fd", "\u60a3\u8005\u738b\u5efa\u56fd\u590d\u67e5"),
        ("ISO_IR 100", "utf-8", "\u738b\u5efa\u56fd", "\u738b\u5efa\u56fd CT"),
        ("ISO_IR 192", "gbk", "\u738b\u5efa\u56fd", "\u60a3\u8005\u738b\u5efa\u56fd"),
        ("ISO_IR 192", "big5", "\u738b^\u5c0f\u660e", "\u738b\u5c0f\u660e \u80f8\u90e8"),
        ("ISO_IR 100", "shift_jis", "\u5c71\u7530^\u592a\u90ce", "\u5c71\u7530\u592a\u90ce\u69d8"),
        ("ISO_IR 192", "euc_kr", "\uae40^\ubbfc\uc218", "\ud658\uc790 \uae40\ubbfc\uc218"),
        (
            "ISO_IR 100",
            "cp1251",
            IVANOV,
            "\u043f\u0430\u0446\u0438\u0435\u043d\u0442 \u0418\u0432\u0430\u043d\u043e\u0432",
        ),
        (
            None,
            "utf-8",
            IVANOV,
            "\u0418\u0412\u0410\u041d\u041e\u0412 \u041a\u0422",
        ),
        ("GBK", "utf-8", "\u738b\u5efa\u56fd", "\u738b\u5efa\u56fd CT"),
        (
            "ISO_IR 144",
            "cp1251",
            IVANOV,
            "\u0418\u0432\u0430\u043d\u043e\u0432 \u041a\u0422",
        ),
    ],
)
@pytest.mark.parametrize("cleans", ["contents", "basic", "basic, cleaned"])
def test_a_name_is_erased_in_any_character_set(
    way: Any, cleans: str, declared: str | None, encoding: str, name: str, text: str, tmp_path: Path
) -> None:
    config = DeidentifyConfig.builder().filter_profile(CONTENTS if cleans == "contents" else BASIC)
    deidentifier = Deidentifier(
        config.redact("PERSON_NAME").build() if cleans == "contents" else config.build(),
        options=CLEANING if cleans == "basic, cleaned" else [],
    )
    dataset = instance(SpecificCharacterSet=declared) if declared else instance()
    for tag, vr, typed in ((0x00081030, "LO", text), (0x00100010, "PN", name), (0x00700081, "LO", text)):
        value = typed.encode(encoding)
        value += b" " * (len(value) % 2)
        dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)

    way(deidentifier, saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    data = (tmp_path / "out.dcm").read_bytes()
    for part in name.split("^"):
        if len(part) > 1:
            assert part.encode(encoding) not in data


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("named", "encoding"), [("ISO_IR 100", "latin-1"), ("ISO_IR 192", "utf-8"), ("GB18030", "gb18030")]
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Garcia^Maria", "GARC\u00cdA 3 mm"),
        ("Joao^Ana", "JO\u00c3O"),
        ("Strauss^Anna", "Strau\u00df"),
        ("Garc\u00eda-L\u00f3pez^Jos\u00e9", "l\u00f3pez"),
        ("O'Bri\u00e9n^Zo\u00eb", "Bri\u00e9n"),
        ("M\u00fcller-Lang^J\u00fcrgen", "M\u00dcLLER"),
        (
            "Iwanow-Petrow=\u0418\u0432\u0430\u043d\u043e\u0432-\u041f\u0435\u0442\u0440\u043e\u0432",
            "\u041f\u0415\u0422\u0420\u041e\u0412",
        ),
        (
            "\u03a0\u03b1\u03c0\u03b1\u03b4\u03cc\u03c0\u03bf\u03c5\u03bb\u03bf\u03c2",
            "\u03a0\u0391\u03a0\u0391\u0394\u039f\u03a0\u039f\u03a5\u039b\u039f\u03a3",
        ),
        ("Garcia^Maria", "Garci\u0301a"),
        ("Garcia^Maria", "Gar\u200bcia"),
        ("Garcia^Maria", "\uff27\uff21\uff32\uff23\uff29\uff21"),
        ("Garcia Lopez^Maria", "Garcia\u00a0L\u00f3pez"),
        ("Nguyen^Khai", "Nguy\u1ec5n"),
    ],
)
def test_a_name_is_erased_with_and_without_its_accents(
    way: Any, named: str, encoding: str, name: str, text: str, tmp_path: Path
) -> None:
    try:
        planted = text.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("the character set lacks a letter")
    dataset = instance(SpecificCharacterSet=named, PatientName=name, SegmentLabel=text)

    way(engine(), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert planted not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [[], CLEANING], ids=["basic", "cleaned"])
@pytest.mark.parametrize(
    ("number", "text"),
    [("0000123", "123"), ("0000123", "ID: 0123 left"), ("MRN-0042", "pt no 42"), ("4711", "patient no 4711")],
)
def test_a_short_number_of_the_patient_is_erased_after_a_cue_and_as_the_whole_text(
    way: Any, options: list[str], number: str, text: str, tmp_path: Path
) -> None:
    dataset = instance(PatientID=number, SegmentLabel=text)

    result = way(engine(options=options), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert not any(map(str.isdigit, result.dataset.SegmentLabel or ""))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [[], CLEANING], ids=["basic", "cleaned"])
@pytest.mark.parametrize("named", ["\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87", "ISO_IR 100", "ISO_IR 192"])
@pytest.mark.parametrize("text", ["\u5c71\u7530\u592a\u90ce", "\u80ba \u5c71\u7530", "\u3084\u307e\u3060\u8179"])
def test_a_japanese_name_in_seven_bits_is_erased(
    way: Any, options: list[str], named: str, text: str, tmp_path: Path
) -> None:
    dataset = instance(SpecificCharacterSet=named, SegmentLabel="x")
    name = "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"
    parts = b"=".join(b"^".join(part.encode("iso2022_jp") for part in group.split("^")) for group in name.split("="))
    for tag, vr, value in ((0x00100010, "PN", parts), (0x00620005, "LO", text.encode("iso2022_jp"))):
        value += b" " * (len(value) % 2)
        dataset[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian

    way(engine(BASIC, options=options), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    data = (tmp_path / "out.dcm").read_bytes()
    for part in ("\u5c71\u7530", "\u592a\u90ce", "\u3084\u307e\u3060"):
        assert part.encode("iso2022_jp")[3:-3] not in data


def test_the_fallback_character_set_is_tried_first(tmp_path: Path) -> None:
    text = "\u0412\u0440\u0430\u0447 20210314"
    dataset = instance()
    dataset[0x00081030] = RawDataElement(Tag(0x00081030), "LO", 14, text.encode("koi8_r").ljust(14), 0, False, True)
    config = DeidentifyConfig.builder().filter_profile(CONTENTS).redact("DATE").build()

    result = Deidentifier(config, fallback_charset="koi8-r").deidentify(dataset)

    assert result.dataset.get_item(0x00081030).value.strip() == text.encode("koi8_r")[:4]
    assert [warning for warning in result.warnings if "character set" in warning]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("profile", "options"), [(CONTENTS, []), (BASIC, CLEANING), (BASIC, []), ("KEEP_ALL_PROFILE", [])]
)
def test_old_uids_in_text_are_mapped_like_those_in_elements(
    way: Any, profile: str, options: list[str], tmp_path: Path
) -> None:
    item = Dataset()
    item.ValueType, item.TextValue = "TEXT", f"image {INSTANCE}, series {SERIES}."
    dataset = instance(ContentDescription=f"from {SERIES}", ContentSequence=[item], ImageComments=f"study={STUDY}")

    result = way(engine(profile, options=options), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    data = (tmp_path / "out.dcm").read_bytes()
    for uid in (STUDY, SERIES, INSTANCE):
        assert uid.encode() not in data
    assert UidMapper().map(SERIES) in result.dataset.ContentDescription or "from" in result.dataset.ContentDescription


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [[], CLEANING])
@pytest.mark.parametrize("form", ["MR.{}", "CT.{}.dcm", "IM_{}", "{}_0001.dcm"])
@pytest.mark.parametrize("separator", [".", "_", "-"])
def test_uids_in_names_of_files_are_mapped(
    way: Any, options: list[str], form: str, separator: str, tmp_path: Path
) -> None:
    old = INSTANCE.replace(".", separator)
    kept = "b 0_50_100_150_200_400_800_1000"
    dataset = instance(ContentDescription=form.format(old), SegmentLabel=kept)

    result = way(engine(BASIC, options=options), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert old not in result.dataset.ContentDescription
    assert result.dataset.SegmentLabel == kept


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("profile", [BASIC, CONTENTS, "MINIMAL_KEEP_LIST_PROFILE"])
@pytest.mark.parametrize("tag", [0x00081115, 0x00082218, 0x00540016, 0x00089215])
@pytest.mark.parametrize(
    "value",
    [
        b"DOE^JOHN-70 ",
        b"\xfe\xff\x00\xe0\0\0\0\0DOE^JOHN",
        b"\xfe\xff\x00\xe0\x0c\0\0\0DOE^JOHN-70 ",
        b"DOE^JOHN\xfe\xff\x00\xe0\0\0\0\0",
    ],
)
def test_bytes_in_a_sequence_that_are_not_items_are_removed(
    way: Any, profile: str, tag: int, value: bytes, tmp_path: Path
) -> None:
    dataset = instance()
    head = saved(dataset, tmp_path / "in.dcm")
    data = head.read_bytes()
    element = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(value)) + value
    at = next(
        position
        for position in range(len(data) - 4)
        if data[position : position + 4] == b"\x10\0\x10\0" and data[position + 4 : position + 6] == b"PN"
    )
    if tag < 0x00100010:
        head.write_bytes(data[:at] + element + data[at:])
    else:
        head.write_bytes(data + element)

    way(engine(profile), head, tmp_path / "out.dcm")

    assert b"DOE^JOHN" not in (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00450011, "PN", "Brzezicka^Halina"),
        (0x00430015, "ST", "report on Brzezicka"),
        (0x00470012, "DA", "19580203"),
        (0x00490013, "LO", "seen: Brzezicka Halina"),
    ],
)
def test_data_in_place_of_a_private_creator_is_checked(way: Any, tag: int, vr: str, value: str, tmp_path: Path) -> None:
    dataset = instance()
    dataset.add_new(tag, vr, value)
    config = DeidentifyConfig.builder().filter_profile(CONTENTS).redact("PERSON_NAME", "DATE", "DATE_OF_BIRTH").build()

    result = way(Deidentifier(config), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    left = str(result.dataset.get(tag, ""))
    assert "Brzezicka" not in left
    assert "19580203" not in left


@pytest.mark.parametrize("way", WAYS)
def test_method_codes_state_what_was_done_and_keep_those_of_earlier_steps(way: Any, tmp_path: Path) -> None:
    earlier = Dataset()
    earlier.CodeValue, earlier.CodingSchemeDesignator = "113102", "DCM"
    earlier.CodeMeaning = "Clean Recognizable Visual Features Option"
    dataset = instance(DeidentificationMethod=["face eraser 1.0"], DeidentificationMethodCodeSequence=[earlier])
    dataset.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.000456")
    safe = ["Philips PET Private Group,7053,00"]
    source = saved(dataset, tmp_path / "in.dcm")

    choices: list[dict[str, Any]] = [{"safe_private": safe}, {"options": ["retain_safe_private"]}, {}]
    for options in choices:
        result = way(engine(**options), source, tmp_path / "out.dcm").dataset
        codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
        kept = any(is_private(int(element.tag)) for element in result)
        assert codes[0] == "113102"
        assert codes.count("113100") == 1
        assert ("113111" in codes) == kept
        assert result.DeidentificationMethod[0] == "face eraser 1.0"


@pytest.mark.parametrize("way", WAYS)
def test_safe_private_dates_are_shifted_with_the_others(way: Any, tmp_path: Path) -> None:
    dataset = instance(StudyDate="20210314")
    block = dataset.private_block(0x0009, "GEMS_PETD_01", create=True)
    block.add_new(0x0D, "DT", "20210314101500")
    block.add_new(0x0E, "DA", "20210314")
    block.add_new(0x11, "LO", "Brzezicka")
    safe = [f"GEMS_PETD_01,0009,{element}" for element in ("0d", "0e", "11")]
    deidentifier = engine(options=["retain_longitudinal_modified_dates"], safe_private=safe, secret=bytes(range(32)))

    result = way(deidentifier, saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm").dataset

    new = result.private_block(0x0009, "GEMS_PETD_01")
    assert result.StudyDate != "20210314"
    assert new[0x0D].value[:8] == new[0x0E].value == result.StudyDate
    assert "Brzezicka" not in str(new[0x11].value)
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"


def test_a_secret_makes_uids_and_dates_consistent_unless_a_rule_is_given(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(40, 72)) + b"\n")
    options: dict[str, Any] = {"options": ["retain_longitudinal_modified_dates"]}
    dataset = instance(StudyDate="20210314")

    one = engine(secret=secret, **options).deidentify(dataset)
    other = engine(secret=bytes(range(40, 72)), **options).deidentify(dataset)
    google = engine(secret=secret, uid_rule="google", **options).deidentify(dataset)
    keyless = engine(**options).deidentify(dataset)

    assert one.dataset.SOPInstanceUID == other.dataset.SOPInstanceUID != keyless.dataset.SOPInstanceUID
    assert one.dataset.StudyDate == other.dataset.StudyDate == google.dataset.StudyDate
    assert google.dataset.SOPInstanceUID == keyless.dataset.SOPInstanceUID == UidMapper().map(INSTANCE)
    assert [warning for warning in keyless.warnings if "finds the shift" in warning]
    assert not [warning for warning in one.warnings if "finds the shift" in warning]


def test_a_series_of_heads_warns_of_faces() -> None:
    head = engine().deidentify(instance(BodyPartExamined="HEAD"))
    chest = engine().deidentify(instance(BodyPartExamined="CHEST"))

    assert [warning for warning in head.warnings if "face" in warning]
    assert not [warning for warning in chest.warnings if "face" in warning]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "typed", "term"),
    [
        ("M\u00fcller^J\u00fcrgen", "Herr Mueller", "mueller"),
        ("M\u00fcller^J\u00fcrgen", "MULLER", "muller"),
        ("S\u00f8rensen^\u00c5se", "Soerensen", "soerensen"),
        ("Li^Na", "Li Na, second look", "li na"),
        ("Do^Minh", "minh do", "minh do"),
        ("Brzezicka^Halina", "3/2/58", "3/2/58"),
        ("Brzezicka^Halina", "born 03.02.58", "03.02.58"),
    ],
)
def test_other_spellings_of_a_name_or_birth_date_are_erased_too(
    way: Any, name: str, typed: str, term: str, tmp_path: Path
) -> None:
    dataset = instance(SpecificCharacterSet="ISO_IR 100", PatientName=name, ContentDescription=typed)

    way(engine(), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert term.encode() not in (tmp_path / "out.dcm").read_bytes().lower()


def test_an_instance_without_a_picture_makes_no_claim_about_burned_in_text() -> None:
    config = DeidentifyConfig.builder().filter_profile(BASIC).redact_image_text("all").build()

    result = Deidentifier(config).deidentify(instance()).dataset

    assert "BurnedInAnnotation" not in result
    assert "113101" not in [item.CodeValue for item in result.DeidentificationMethodCodeSequence]


@pytest.mark.parametrize("charset", [None, "ISO_IR 100", "ISO_IR 144", "ISO_IR 192", "GB18030"])
@pytest.mark.parametrize("name", ["Петров", "山田太郎"])
def test_a_dataset_in_memory_is_searched_though_its_character_set_cannot_write_its_text(
    charset: str | None, name: str
) -> None:
    dataset = instance(PatientName=f"{name}^A", SegmentLabel=f"CT {name}", StudyDescription=f"CT {name}")
    if charset:
        dataset.SpecificCharacterSet = charset

    result = engine(options=CLEANING).deidentify(dataset)

    assert name not in str(result.dataset)
    assert result.dataset.PatientIdentityRemoved == "YES"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("charset", "text"),
    [("ISO_IR 192", "Thorax für Müller"), ("GB18030", "胸部正面"), ("ISO_IR 100", "Thorax für")],
)
def test_text_in_the_character_set_it_names_brings_no_warning(
    way: Any, charset: str, text: str, tmp_path: Path
) -> None:
    dataset = instance(SpecificCharacterSet=charset, SegmentLabel=text, StudyDescription=text)

    result = way(engine(options=CLEANING), saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert not any("SpecificCharacterSet" in warning for warning in result.warnings)


class Guess(WordsDetector):
    """Stands for a language model that takes a vendor for a person."""

    def __init__(self) -> None:
        super().__init__("PERSON_NAME", ["Siemens"], rank=MODEL)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [[], CLEANING], ids=["basic", "cleaned"])
def test_what_a_detector_of_the_users_finds_goes_from_every_text_that_stays(
    way: Any, options: list[str], tmp_path: Path
) -> None:
    number = PatternDetector("STUDY_NUMBER", re.compile(r"(?<![A-Z0-9])[A-Z]{3}-\d{4}(?!\d)"))
    dataset = instance(
        Manufacturer="Siemens XYZ-0417 Umbra north",
        SequenceName="*XYZ-0417_5mm",
        FilterType="XYZ-0417",
        SeriesDescription="AXIAL_XYZ-0417_5MM",
    )
    dataset.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x9E, "LO", "EFGRE3D XYZ-0417")
    detectors = [number, WordsDetector("SITE", ["Umbra North"]), Guess()]
    made = engine(options=[*options, "retain_safe_private"], detectors=detectors)

    result = way(made, saved(dataset, tmp_path / "in.dcm"), tmp_path / "out.dcm")

    assert b"XYZ-0417" not in (tmp_path / "out.dcm").read_bytes()
    assert result.dataset.Manufacturer == "Siemens"
    assert result.dataset.PatientIdentityRemoved == "YES"
    assert any("one of your detectors" in warning for warning in result.warnings)
