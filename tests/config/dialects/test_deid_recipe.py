"""Reading and conversion of recipes of pydicom's deid."""

from __future__ import annotations

import pytest

from healthcare_deid.config import RecipeConversion, from_deid_recipe
from healthcare_deid.errors import ConfigError

HEAD = "FORMAT dicom\n%header\n"


def actions(conversion: RecipeConversion) -> dict[str, str]:
    """Return the action of each tag that is not kept as the dictionary's other tags are."""
    config = conversion.config.dicom_tag_config
    assert config is not None
    return {query: str(action.chosen) for action in config.actions for query in action.queries}


def convert(*lines: str) -> RecipeConversion:
    """Convert header lines; private attributes stay, so that only named tags have an action."""
    return from_deid_recipe(HEAD + "\n".join(lines), keep_private=True)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("KEEP Modality", {"Modality": "keep_tag"}),
        ("BLANK PatientName", {"PatientName": "remove_tag"}),
        ("REMOVE PatientName # not needed", {"PatientName": "delete_tag"}),
        ("remove (0010,0010)", {"PatientName": "delete_tag"}),
        ("JITTER StudyDate 31", {"StudyDate": "clean_text_tag"}),
        ("JITTER StudyDate var:days", {"StudyDate": "clean_text_tag"}),
        ("REPLACE StudyDate deid_func:jitter days=3", {"StudyDate": "clean_text_tag"}),
        ("REPLACE FrameOfReferenceUID func:generate_uid", {"FrameOfReferenceUID": "regen_uid_tag"}),
        ("REPLACE FrameOfReferenceUID deid_func:dicom_uuid org_root=1.2", {"FrameOfReferenceUID": "regen_uid_tag"}),
        ("REMOVE startswith:ClinicalTrialSiteI", {"ClinicalTrialSiteID": "delete_tag"}),
        ("BLANK endswith:MotherBirthName", {"PatientMotherBirthName": "remove_tag"}),
        (
            "BLANK contains:StationName|MotherBirth",
            {"StationName": "remove_tag", "PatientMotherBirthName": "remove_tag"},
        ),
        ("REMOVE select:GROUP:0x4FFE", {"MACParametersSequence": "delete_tag"}),
        ("REMOVE PixelData", {}),
    ],
)
def test_a_line_becomes_an_action(line: str, found: dict[str, str]) -> None:
    result = actions(convert(line))
    assert found.items() <= result.items()
    if "contains" not in line:
        assert result == found


def test_values_become_options() -> None:
    conversion = convert("REPLACE StationName SCANNER # one", "ADD ClinicalTrialProtocolID X-17")
    assert conversion.options == {"set_values": {"StationName": "SCANNER", "ClinicalTrialProtocolID": "X-17"}}
    assert [str(line) for line in conversion.approximated] == [
        "line 3: StationName: set only where it is present; it is added where it is missing"
    ]


def test_the_last_action_counts_but_for_kept_and_changed_attributes() -> None:
    conversion = convert(
        "KEEP Modality",
        "BLANK PatientName",
        "REMOVE PatientName",
        "REMOVE StudyDate",
        "JITTER StudyDate 1",
        "REMOVE StudyDate",
        "REMOVE Modality",
    )
    assert actions(conversion) == {
        "Modality": "keep_tag",
        "PatientName": "delete_tag",
        "StudyDate": "clean_text_tag",
    }


def test_remove_all_does_not_remove_attributes_kept_or_changed_later() -> None:
    conversion = convert("REMOVE ALL", "KEEP Modality", "REPLACE StationName X", "BLANK PatientName")
    config = conversion.config.dicom_tag_config
    assert config is not None
    assert config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"
    found = actions(conversion)
    assert (found["Modality"], found["PatientName"], found["StationName"]) == ("keep_tag", "remove_tag", "delete_tag")
    assert "StudyDate" not in found
    assert found["VOILUTSequence"] == "keep_tag"


def test_private_attributes_go_unless_they_are_asked_for() -> None:
    recipe = HEAD + "BLANK PatientName"
    removed, kept = from_deid_recipe(recipe), from_deid_recipe(recipe, keep_private=True)
    assert removed.config.dicom_tag_config is not None
    assert removed.config.dicom_tag_config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"
    assert actions(removed)["StudyDate"] == "keep_tag"
    assert kept.config.dicom_tag_config is not None
    assert kept.config.dicom_tag_config.profile_type == "KEEP_ALL_PROFILE"


def test_a_nested_attribute_is_treated_at_every_level() -> None:
    conversion = convert("REMOVE RequestAttributesSequence__ScheduledProcedureStepID")
    assert actions(conversion) == {"ScheduledProcedureStepID": "delete_tag"}
    assert [line.instead for line in conversion.approximated] == ["it applies at every level"]


def test_a_variable_for_a_patient_asks_for_pseudonyms() -> None:
    conversion = convert("REPLACE PatientID var:new_id")
    assert conversion.wants_pseudonyms
    assert actions(conversion) == {"PatientID": "remove_tag"}


@pytest.mark.parametrize(
    ("line", "subject", "reason", "action"),
    [
        ("REPLACE StationName var:name", "StationName", "the recipe holds no value", {"StationName": "remove_tag"}),
        ("REPLACE StationName func:f", "StationName", "a function is program code", {"StationName": "remove_tag"}),
        ("REMOVE StationName func:is_x", "StationName", "a condition", {"StationName": "delete_tag"}),
        ("JITTER StudyTime 1", "StudyTime", "only dates", {"StudyTime": "remove_tag"}),
        ("REPLACE SOPInstanceUID func:f", "SOPInstanceUID", "a function", {"SOPInstanceUID": "regen_uid_tag"}),
        ("REMOVE values:x", "REMOVE values:", "values differ", {}),
        ("REMOVE fields:x", "REMOVE fields:", "an unknown field expression", {}),
        ("REMOVE contains:(", "REMOVE contains:", "an unknown field expression", {}),
        ("KEEP contains:Name", "KEEP", "KEEP takes one attribute", {}),
        ("ERASE PatientName", "line", "not an action", {}),
    ],
)
def test_a_line_that_cannot_be_expressed_is_listed(
    line: str, subject: str, reason: str, action: dict[str, str]
) -> None:
    conversion = convert(line)
    (note,) = conversion.unconverted
    assert (note.line, note.subject) == (3, subject)
    assert reason in note.reason
    assert action.items() <= actions(conversion).items()


def test_an_unknown_attribute_may_be_private_so_private_ones_are_removed() -> None:
    conversion = convert('REMOVE 0033,"ACME",1E')
    assert len(conversion.unconverted) == 1
    assert conversion.config.dicom_tag_config is not None
    assert conversion.config.dicom_tag_config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"


def test_filters_and_value_lists_are_listed_once_each() -> None:
    lines = ("FORMAT dicom", "%filter gray", "LABEL x", "contains Modality CT", "  coordinates 0,0,1,1", "%values v")
    conversion = from_deid_recipe("\n".join([*lines, "SPLIT PatientName"]))
    assert [(line.line, line.subject) for line in conversion.unconverted] == [(2, "%filter"), (6, "%values")]


@pytest.mark.parametrize("text", ["", "REMOVE PatientName", "<script/>"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a deid recipe"):
        from_deid_recipe(text)


@pytest.mark.parametrize(
    ("text", "line", "subject"),
    [
        ("FORMAT dicom\nREMOVE PatientName", 2, "line"),
        ("FORMAT dicom\n% header\nREMOVE PatientName", 3, "line"),
        ("FORMAT dicom\n%headers\nREMOVE PatientName", 3, "line"),
        ("FORMAT dicom\n%labels\nADD study x", 2, "%labels"),
        ("FORMAT dicom\n%fields who\nFIELDS PatientName\nFIELD PatientID\n%header\nREMOVE fields:who", 3, "%fields"),
        (f"{HEAD}REMOVE contains:patientsname", 3, "REMOVE contains:"),
        (f"{HEAD}REMOVE select:VR:ZZ", 3, "REMOVE select:"),
    ],
)
def test_a_line_that_does_nothing_is_listed(text: str, line: int, subject: str) -> None:
    found = [(one.line, one.subject) for one in from_deid_recipe(text).unconverted]
    assert (line, subject) in found


def test_a_recipe_without_an_action_says_that_attributes_stay() -> None:
    (line,) = from_deid_recipe(HEAD).unconverted
    assert "all of them stay" in str(line)
