"""An instance's own header values in text, in other spellings, orders and groupings, and misread."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from healthcare_deid.config import v1beta1
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.find.header_values import read_header
from healthcare_deid.engine.text.match import Match

Found = Callable[[InstanceText, str], list[tuple[str, str]]]
MakeHeader = Callable[..., Dataset]


def bind(dataset: Dataset) -> InstanceText:
    return TextEngine(TextPlan()).bind(dataset)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("LINDQVIST MARIA", "LINDQVIST MARIA"),
        ("maria lindqvist", "maria lindqvist"),
        ("Lindqvist^Maria", "Lindqvist^Maria"),
        ("LINDQVIST,M.", "LINDQVIST,M"),
        ("M. Lindqvist", "M. Lindqvist"),
        ("ELENA", "ELENA"),
        ("L1NDQVIST", "L1NDQVIST"),
        ("LINDQVlST", "LINDQVlST"),
        ("LINDOVIST", "LINDOVIST"),
        ("LINDVIST", "LINDVIST"),
        ("LINDQQVIST", "LINDQQVIST"),
        ("LINDQVISTMARIA", "LINDQVISTMARIA"),
        ("LIND QVIST", "LIND QVIST"),
        ("NAME:LINDQVIST", "LINDQVIST"),
        ("M.E.L.", "M.E.L."),
        ("OKAFOR", "OKAFOR"),
        ("dr okafor", "okafor"),
        ("O'BRIEN", "O'BRIEN"),
        ("OBRIEN SEAN", "OBRIEN SEAN"),
        ("Seán", "Seán"),
    ],
)
def test_a_name_of_the_header_is_found(known: InstanceText, found: Found, text: str, finding: str) -> None:
    assert found(known, text) == [(finding, "PERSON_NAME")]


@pytest.mark.parametrize(
    "text",
    [
        "MRN204816",
        "mrn 204816",
        "ID:MRN-204816",
        "MRN2O48l6",
        "MRN204815",
        "MRN20481",
        "XMRN204816",
        "ACC-7731",
        "ACC7731",
        "ACC 7731",
    ],
)
def test_a_number_of_the_header_is_found(known: InstanceText, found: Found, text: str) -> None:
    assert [kind for _, kind in found(known, text)] == ["MEDICAL_RECORD_NUMBER"]


@pytest.mark.parametrize("text", ["1234 mm", "0012345", "112345", "123456"])
def test_a_number_is_not_found_inside_a_longer_one_but_for_leading_zeros(
    make_header: MakeHeader, found: Found, text: str
) -> None:
    kinds = [kind for _, kind in found(bind(make_header(PatientID="12345")), text)]
    assert kinds == (["MEDICAL_RECORD_NUMBER"] if text.startswith("00") else [])


@pytest.mark.parametrize(
    "text",
    ["1961-07-09", "09 JUL 1961", "7/9/1961", "9.7.61", "19610709", "090761", "610709", "07/09/61", "July 9, 1961"],
)
def test_the_birth_date_is_known_in_any_spelling(known: InstanceText, found: Found, text: str) -> None:
    assert found(known, text) == [(text, "DATE_OF_BIRTH")]


def test_six_digits_are_a_date_only_when_the_header_has_that_day(known: InstanceText, found: Found) -> None:
    assert found(known, "040321") == [("040321", "DATE")]
    assert found(known, "040322") == []


@pytest.mark.parametrize(
    ("text", "finding", "info_type"),
    [
        ("HARBOUR HEIGHTS HOSPITAL", "HARBOUR HEIGHTS HOSPITAL", "LOCATION"),
        ("HarbourHeights Hospital", "HarbourHeights Hospital", "LOCATION"),
        ("12 Harbour St", "12 Harbour St", "LOCATION"),
        ("SPRINGFIELD", "SPRINGFIELD", "LOCATION"),
        ("5550104477", "5550104477", "PHONE_NUMBER"),
        ("555-010-4477", "555-010-4477", "PHONE_NUMBER"),
    ],
)
def test_places_and_telephones_of_the_header_are_found(
    known: InstanceText, found: Found, text: str, finding: str, info_type: str
) -> None:
    assert found(known, text) == [(finding, info_type)]


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("Foley catheter", []),
        ("Swan catheter", []),
        ("catheter of Foley, ward 3", ["Foley"]),
        ("Baker, Foley", ["Baker, Foley"]),
        ("Dr. Foley", ["Foley"]),
        ("FOLEY", ["FOLEY"]),
    ],
)
def test_an_eponym_is_a_name_when_the_patient_is_called_so_but_not_in_its_term(
    make_header: MakeHeader, found: Found, text: str, findings: list[str]
) -> None:
    text_of_foley = bind(make_header(PatientName="Foley^Baker"))
    assert found(text_of_foley, text) == [(finding, "PERSON_NAME") for finding in findings]


@pytest.mark.parametrize("name", ["ANONYMOUS", "TEST^PATIENT", "UNKNOWN", "^^^", "NONAME", "Anon^"])
def test_a_placeholder_for_a_name_is_not_a_term(make_header: MakeHeader, found: Found, name: str) -> None:
    assert found(bind(make_header(PatientName=name)), "test of unknown patient, anonymous") == []


def test_a_short_name_counts_beside_another_part_and_not_as_a_mark(make_header: MakeHeader, found: Found) -> None:
    text = bind(make_header(PatientName="Ap^Lateisha"))
    assert found(text, "AP") == [("AP", "PERSON_NAME")]
    assert found(text, "CHEST AP") == []
    assert found(text, "AP LATEISHA") == [("AP LATEISHA", "PERSON_NAME")]


@pytest.mark.parametrize("text", ["CHEST AP", "PORTABLE SUPINE", "RT LAT", "Gain 66 Depth 16 cm"])
def test_other_words_are_left_with_a_header_too(known: InstanceText, found: Found, text: str) -> None:
    assert found(known, text) == []


def test_names_and_numbers_in_nested_items_are_terms(make_header: MakeHeader, found: Found) -> None:
    earlier = make_header(PatientName="Quimby^Zora", PatientID="OLD-55501")
    original = make_header(ModifiedAttributesSequence=[earlier])
    text = bind(make_header(PatientName="Smith^Jo", OriginalAttributesSequence=[original]))
    assert found(text, "formerly QUIMBY, OLD-55501") == [
        ("QUIMBY", "PERSON_NAME"),
        ("OLD-55501", "MEDICAL_RECORD_NUMBER"),
    ]


def test_ideographic_and_phonetic_names_are_terms(make_header: MakeHeader, found: Found) -> None:
    text = bind(make_header(PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう"))
    assert found(text, "山田 太郎") == [("山田 太郎", "PERSON_NAME")]


def test_a_header_is_read_whatever_is_in_it(make_header: MakeHeader) -> None:
    dataset = make_header(PatientID="", StudyDate="")
    dataset.add_new(0x00100030, "LO", "notadate")
    dataset.add_new(0x00080050, "UN", b"\xff\xfe")
    dataset.add_new(0x00321032, "SQ", [])
    header = read_header(dataset)
    assert header.values == ()
    assert header.dates == frozenset()


@given(st.integers(0, 8), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
@settings(deadline=None)
def test_one_misread_character_does_not_hide_a_longer_name(position: int, character: str) -> None:
    dataset = Dataset()
    dataset.PatientName = "Lindqvist^Maria"
    misread = "LINDQVIST"[:position] + character + "LINDQVIST"[position + 1 :]
    assert bind(dataset).find(misread) == [Match(0, 9, "PERSON_NAME")]


def test_a_study_uid_in_a_text_is_a_number_of_the_header(make_header: MakeHeader, found: Found) -> None:
    uid = "1.2.826.0.1.3680043.8.498.1"
    text = bind(make_header(StudyInstanceUID=uid))
    assert found(text, f"see {uid}") == [(uid, "MEDICAL_RECORD_NUMBER")]


def test_organizations_in_pixels_have_their_own_name_when_asked_for(patient: Dataset) -> None:
    config = v1beta1.DeidentifyConfig.from_api(
        {
            "image": {
                "textRedactionMode": "REDACT_SENSITIVE_TEXT",
                "additionalInfoTypes": ["ORGANIZATION_NAME"],
            }
        }
    )
    found = TextEngine(compile_text(config)).bind(patient).find("HARBOUR HEIGHTS HOSPITAL")
    assert [match.info_type for match in found] == ["ORGANIZATION_NAME"]


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("Wang^XiaoDong=王^小东", "患者王小东复查", "王小东"),
        ("Wang^XiaoDong=王^小东", "小东 王", "小东 王"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "患者山田太郎様", "山田太郎"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山田様の胸部", "山田"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "やまだたろうさん", "やまだたろう"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", "氏名:ﾔﾏﾀﾞﾀﾛｳ", "ﾔﾏﾀﾞﾀﾛｳ"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "환자 홍길동님", "홍길동님"),
    ],
)
def test_a_name_is_found_in_scripts_without_spaces(
    make_header: MakeHeader, found: Found, name: str, text: str, finding: str
) -> None:
    assert (finding, "PERSON_NAME") in found(bind(make_header(PatientName=name)), text)


@pytest.mark.parametrize("text", ["住院号PID4711复查", "北京协和医院放射科"])
def test_numbers_and_institutions_are_found_within_such_a_script_too(
    make_header: MakeHeader, found: Found, text: str
) -> None:
    header = make_header(PatientID="PID4711", InstitutionName="北京协和医院")

    assert [stretch for stretch, _ in found(bind(header), text)] in (["PID4711"], ["北京协和医院"])


def test_a_directory_of_one_patient_is_that_patients(make_header: MakeHeader) -> None:
    record = make_header(PatientID="PID4711", PatientName="Lindqvist^Maria")
    directory = make_header(DirectoryRecordSequence=[record])
    engine = TextEngine(TextPlan())

    assert engine.bind(directory).transform("CT LINDQVIST", "LO").value == "CT [PERSON_NAME]"
    assert engine.bind(directory).transform("20210304", "DA") == engine.bind(record).transform("20210304", "DA")


@pytest.mark.parametrize(
    "text",
    ["NG, WEI", "NG WEI", "WEI NG", "Ng^Wei", "W. NG", "NG, W", "Dr. Ng", "Patient: NG", "NG", "NGWEI", "ng wei"],
)
def test_a_name_of_two_letters_is_found_in_every_spelling_that_shows_it(make_header: MakeHeader, text: str) -> None:
    found = bind(make_header(PatientName="Ng^Wei")).find(text)
    assert {match.info_type for match in found} == {"PERSON_NAME"}
    assert any("ng" in text[match.start : match.end].lower() for match in found)


@pytest.mark.parametrize(
    "text", ["NG tube in place", "CHEST NG TUBE", "LONG AXIS VIEW", "along the wall", "gallstones"]
)
def test_words_of_the_field_are_not_parts_of_a_name_in_running_text(make_header: MakeHeader, text: str) -> None:
    terms = bind(make_header(PatientName="Ng^Long", OperatorsName="Stone^A"))
    assert terms.find(text) == []


@pytest.mark.parametrize(("text", "finding"), [("J Smith lesion", "J Smith"), ("a smith fracture, J", "")])
def test_a_capital_before_a_name_is_its_initial(make_header: MakeHeader, found: Found, text: str, finding: str) -> None:
    matches = found(bind(make_header(PatientName="Smith^John")), text)
    assert [match for match, _ in matches] == ([finding] if finding else [])


def test_a_name_in_the_prefix_of_a_person_name_is_a_term(make_header: MakeHeader, found: Found) -> None:
    text = bind(make_header(PatientName="^^^Quartermaine Siobhan"))
    assert found(text, "ROI of Quartermaine") == [("Quartermaine", "PERSON_NAME")]


@pytest.mark.parametrize("text", ["PX100003", "100003", "0100003", "PX-100-003", "px 100003", "100-003", "ID 00100003"])
def test_the_patients_id_is_found_in_other_spellings(make_header: MakeHeader, text: str) -> None:
    found = bind(make_header(PatientID="PX00100003")).find(text)
    assert any("100" in text[match.start : match.end] for match in found)
