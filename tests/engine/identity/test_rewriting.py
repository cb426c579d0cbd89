"""Set values and rewritten patterns: applied under every profile, valid, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Deidentifier, Pseudonyms, Replacement
from healthcare_deid.errors import ConfigError, EngineError

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

    from healthcare_deid.engine import DeidentifyResult

    BothWays = Callable[[Deidentifier, Dataset], DeidentifyResult]

BASIC = presets.basic_confidentiality_profile()
KEEP_ALL = DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").build()


def test_values_are_set_whether_the_element_is_there_or_not(both_ways: BothWays) -> None:
    values = {
        "ClinicalTrialProtocolID": "X-17",
        "InstitutionName": "Site 3",
        "(0012,0010)": "Sponsor",
        "00120051": "first\\visit",
        "ReferencedFrameNumber": "1\\2",
        "SliceThickness": "2.5",
        "LongitudinalTemporalOffsetFromEvent": "3.5",
        "EntranceDose": "7",
    }
    result = both_ways(Deidentifier(BASIC, set_values=values), instance())

    new = result.dataset
    assert (new.ClinicalTrialProtocolID, new.InstitutionName, new.ClinicalTrialSponsorName) == (
        "X-17",
        "Site 3",
        "Sponsor",
    )
    assert list(new.ReferencedFrameNumber) == [1, 2]
    assert (new.LongitudinalTemporalOffsetFromEvent, new.EntranceDose, new.SliceThickness) == (3.5, 7, 2.5)
    actions = {change.keyword: change.action for change in result.changes if change.rule == "set-value"}
    assert (actions["ClinicalTrialProtocolID"], actions["InstitutionName"]) == ("added", "replaced")
    assert new.PatientIdentityRemoved == "YES"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Modality", "lower case"),
        ("StudyDate", "2020-01-01"),
        ("ClinicalTrialProtocolID", "x" * 65),
        ("ClinicalTrialProtocolID", "a\nb"),
        ("EntranceDose", "many"),
        ("EntranceDose", "70000"),
        ("SliceThickness", "thin"),
        ("NoSuchKeyword", "x"),
        ("00091001", "private"),
        ("PatientIdentityRemoved", "YES"),
        ("SOPInstanceUID", "1.2.3"),
        ("SpecificCharacterSet", "ISO_IR 192"),
        ("Rows", "5"),
        ("RequestAttributesSequence", "x"),
    ],
)
def test_a_value_that_cannot_stand_there_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match="set_values"):
        Deidentifier(BASIC, set_values={name: value})


def test_letters_are_written_where_the_character_set_has_them(both_ways: BothWays) -> None:
    deidentifier = Deidentifier(KEEP_ALL, set_values={"InstitutionName": "Universität"})

    assert both_ways(deidentifier, instance(SpecificCharacterSet="ISO_IR 100")).dataset.InstitutionName == "Universität"
    with pytest.raises(EngineError) as caught:
        deidentifier.deidentify(instance())
    assert caught.value.reason == "not-writable"


def test_a_value_that_names_the_patient_costs_the_claim(both_ways: BothWays) -> None:
    result = both_ways(Deidentifier(BASIC, set_values={"ImageComments": "Walkenhorst's scan"}), instance())

    assert "PatientIdentityRemoved" not in result.dataset


def test_a_pattern_is_rewritten_and_the_profile_applies_to_the_rest(both_ways: BothWays) -> None:
    pattern = Replacement("ProtocolName", r"AX (T\d)", r"axial \1")
    kept = both_ways(Deidentifier(KEEP_ALL, replace=[pattern]), instance())
    assert kept.dataset.ProtocolName == "axial T1"

    contents = DeidentifyConfig.builder().filter_profile("DEIDENTIFY_TAG_CONTENTS").build()
    dataset = instance(ProtocolName="AX T1 Walkenhorst")
    cleaned = both_ways(Deidentifier(contents, secret=SECRET, replace=[pattern]), dataset)
    assert cleaned.dataset.ProtocolName == "axial T1 [PERSON_NAME]"


@pytest.mark.parametrize(
    ("pattern", "replacement", "rewritten"),
    [
        (r"^(?P<plane>\w+) (?P<weight>T\d)$", r"\g<weight> \g<plane>", "T1 AX"),
        (r"^(\w+) (T\d)(C)?$", r"\2\3-\g<1>", "T1-AX"),
        (r"\w+", r"\g<0>.", "AX. T1."),
        ("AX", "größer", "größer T1"),
    ],
)
def test_groups_are_named_as_in_python(pattern: str, replacement: str, rewritten: str) -> None:
    dataset = instance(SpecificCharacterSet="ISO_IR 192", ProtocolName="AX T1")
    result = Deidentifier(KEEP_ALL, replace=[("ProtocolName", pattern, replacement)]).deidentify(dataset)

    assert result.dataset.ProtocolName == rewritten


def test_no_pattern_takes_longer_than_the_text_is_long() -> None:
    """Python's own reader would double its time with each character."""
    deidentifier = Deidentifier(KEEP_ALL, replace=[("ImageComments", r"^(a+)+$", "b")])

    assert deidentifier.deidentify(instance(ImageComments="a" * 10_000 + "!")).dataset.ImageComments.endswith("!")


def test_a_removed_value_stays_if_its_pattern_matches_and_the_claim_is_dropped(both_ways: BothWays) -> None:
    deidentifier = Deidentifier(BASIC, replace=[("InstitutionName", "Site (.)", r"Center \1")])
    found = both_ways(deidentifier, instance())
    not_found = both_ways(deidentifier, instance(InstitutionName="Elsewhere"))

    assert found.dataset.InstitutionName == "General Hospital Center A"
    assert "PatientIdentityRemoved" not in found.dataset
    assert any("replace= keeps text" in warning for warning in found.warnings)
    assert not_found.dataset.InstitutionName == Deidentifier(BASIC).deidentify(instance()).dataset.InstitutionName
    assert not_found.dataset.PatientIdentityRemoved == "YES"


def test_the_patient_s_name_does_not_stay_beside_a_pattern(both_ways: BothWays) -> None:
    pattern = ("InstitutionName", "Site", "Center")
    result = both_ways(Deidentifier(BASIC, replace=[pattern]), instance(InstitutionName="Site 4, Walkenhorst"))

    assert result.dataset.InstitutionName == "Center 4"


def test_a_rewritten_value_that_is_invalid_for_its_vr_is_emptied(both_ways: BothWays) -> None:
    result = both_ways(Deidentifier(KEEP_ALL, replace=[("StudyDate", "2020", "year ")]), instance())

    assert result.dataset.StudyDate == ""
    assert any("invalid for its VR" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    "pattern",
    [
        ("ProtocolName", "(", ""),
        ("ProtocolName", "(?=a)", ""),
        ("ProtocolName", "a", r"\1"),
        ("ProtocolName", "a", r"\g<b>"),
        ("ProtocolName", "a", r"\d"),
        ("Rows", "1", "2"),
        ("EntranceDose", "1", "2"),
    ],
)
def test_a_pattern_that_cannot_be_rewritten_is_refused(pattern: tuple[str, str, str]) -> None:
    with pytest.raises(ConfigError, match="replace"):
        Deidentifier(BASIC, replace=[pattern])


@pytest.mark.parametrize(
    "arguments",
    [
        {"set_values": {"PatientID": "x"}},
        {"replace": [("AccessionNumber", "a", "b")]},
        {"set_values": {"ProtocolName": "x"}, "replace": [("ProtocolName", "a", "b")]},
    ],
)
def test_options_that_apply_to_the_same_attribute_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="more than one of"):
        Deidentifier(BASIC, secret=SECRET, pseudonyms=Pseudonyms.keyed(), **arguments)


@pytest.mark.parametrize(("tag", "own"), [("PatientID", "MRN4711-22"), ("AccessionNumber", "ACC998877")])
def test_a_value_in_which_no_pattern_is_found_is_looked_for_elsewhere(tag: str, own: str, both_ways: BothWays) -> None:
    dataset = instance(ManufacturerModelName=f"scanner of {own}")
    result = both_ways(Deidentifier(BASIC, replace=[(tag, "^HOSP-", "")]), dataset)

    assert own not in str(result.dataset)
    assert result.dataset.PatientIdentityRemoved == "YES"


def test_a_value_that_stays_where_no_pattern_is_found_is_left_alone(both_ways: BothWays) -> None:
    deidentifier = Deidentifier(
        BASIC, options=["retain_institution_identity"], replace=[("InstitutionName", "^HOSP-", "")]
    )

    assert both_ways(deidentifier, instance()).dataset.InstitutionName == "General Hospital Site A"


@pytest.mark.parametrize("given", [("ProtocolName", "x"), ("ProtocolName", "x", "y", "z"), ()])
def test_a_replacement_of_other_than_three_parts_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"replace\[0\]"):
        Deidentifier(BASIC, replace=[given])
