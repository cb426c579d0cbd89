"""Dates: one number of days per patient in the whole instance, capped ages, and anchor dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.engine.identity.date_settings import capped_age
from healthcare_deid.errors import ConfigError, EngineError

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from healthcare_deid.engine import DeidentifyResult

    BothWays = Callable[[Deidentifier, Dataset], DeidentifyResult]

BASIC = presets.basic_confidentiality_profile()
KEEP_ALL = DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").build()


def day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def with_private(dataset: Dataset) -> Dataset:
    block = dataset.private_block(0x0029, "ACME", create=True)
    block.add_new(0x01, "DA", "20200312")
    block.add_new(0x02, "LO", "calibrated on 2020-03-01")
    return dataset


@pytest.mark.parametrize("config", [BASIC, KEEP_ALL], ids=["basic", "keep all"])
def test_every_date_moves_by_the_same_days(config: DeidentifyConfig, both_ways: BothWays) -> None:
    options: dict[str, Any] = {"options": ["clean_descriptors", "retain_safe_private"]} if config is BASIC else {}
    deidentifier = Deidentifier(
        config, secret=SECRET, dates=Dates(), safe_private=["ACME,0029,01", "ACME,0029,02"], **options
    )
    result = both_ways(deidentifier, with_private(instance())).dataset

    days = day(result.StudyDate) - date(2020, 3, 10)
    assert days
    assert abs(days) <= timedelta(100)
    assert day(str(result.AcquisitionDateTime)) == date(2020, 3, 10) + days
    assert str(result.AcquisitionDateTime).endswith("101112")
    assert str(date(2020, 3, 8) + days) in result.ImageComments
    assert day(result[0x00291001].value) == date(2020, 3, 12) + days
    assert result[0x00291002].value == f"calibrated on {date(2020, 3, 1) + days}"
    assert result.StudyTime == "101112"
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"


def test_dates_of_the_basic_profile_move_as_its_option_says(both_ways: BothWays) -> None:
    by_option = Deidentifier(BASIC, secret=SECRET, options=["retain_longitudinal_modified_dates"])
    by_argument = Deidentifier(BASIC, secret=SECRET, dates=Dates())

    assert both_ways(by_argument, instance()).dataset == both_ways(by_option, instance()).dataset
    with pytest.raises(ConfigError, match="exclude each other"):
        Deidentifier(BASIC, dates=Dates(), options=["retain_longitudinal_full_dates"])


def test_the_table_s_days_are_stronger_than_the_secret(tmp_path: Path, both_ways: BothWays) -> None:
    table = tmp_path / "table.csv"
    table.write_text("old_id,new_id,days\nMRN4711-22,P-1,-400\nOTHER,P-2,\n")
    deidentifier = Deidentifier(BASIC, secret=SECRET, pseudonyms=Pseudonyms.from_table(table), dates=Dates())

    assert both_ways(deidentifier, instance()).dataset.StudyDate == "20190204"
    other = both_ways(deidentifier, instance(PatientID="OTHER")).dataset
    assert abs(day(other.StudyDate) - date(2020, 3, 10)) <= timedelta(100)


def test_a_table_with_unused_days_gets_a_warning(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("old_id,new_id,days\nMRN4711-22,P-1,-400\n")
    result = Deidentifier(BASIC, pseudonyms=Pseudonyms.from_table(table)).deidentify(instance())

    assert any("the table has date shifts" in warning for warning in result.warnings)


def test_dates_relative_to_an_anchor_begin_on_day_0(tmp_path: Path, both_ways: BothWays) -> None:
    table = tmp_path / "table.csv"
    table.write_text("old_id,new_id,anchor\nMRN4711-22,P-1,2020-03-01\n")
    pseudonyms = Pseudonyms.from_table(table)
    deidentifier = Deidentifier(BASIC, secret=SECRET, pseudonyms=pseudonyms, dates=Dates(event="ENROLLMENT"))
    result = both_ways(deidentifier, instance())

    assert result.dataset.StudyDate == "20000110"
    assert result.dataset.LongitudinalTemporalOffsetFromEvent == 9
    assert result.dataset.LongitudinalTemporalEventType == "ENROLLMENT"
    assert "20200301" not in str(result.dataset)


def test_the_first_study_that_is_seen_becomes_the_anchor_where_the_table_is_to_note_it(tmp_path: Path) -> None:
    table = tmp_path / "site.csv"

    def dates(*studies: str) -> list[str]:
        pseudonyms = Pseudonyms.sequential(table, anchors=True)
        deidentifier = Deidentifier(BASIC, pseudonyms=pseudonyms, dates=Dates(event="BASELINE"))
        results = [deidentifier.deidentify(instance(StudyDate=study)).dataset for study in studies]
        assert [result.LongitudinalTemporalOffsetFromEvent for result in results] == [
            (day(result.StudyDate) - date(2000, 1, 1)).days for result in results
        ]
        return [result.StudyDate for result in results]

    assert dates("20200310", "20200320") == ["20000101", "20000111"]
    assert dates("20200301") == ["19991223"]
    assert "2020-03-10" in table.read_text()


def test_an_event_without_an_anchor_is_a_failure() -> None:
    deidentifier = Deidentifier(BASIC, secret=SECRET, pseudonyms=Pseudonyms.keyed(), dates=Dates(event="BASELINE"))
    with pytest.raises(EngineError) as caught:
        deidentifier.deidentify(instance())
    assert caught.value.reason == "no-anchor"
    with pytest.raises(ConfigError, match="event"):
        Dates(event="enrolled, perhaps")


@pytest.mark.parametrize(
    ("age", "capped"),
    [
        ("089Y", None),
        ("090Y", "090Y"),
        ("101Y", "090Y"),
        ("1079M", None),
        ("1080M", "090Y"),
        ("012W", None),
        ("095y", "090Y"),
        ("095", "090Y"),
        (" 95 y", "090Y"),
        ("34", None),
        ("", None),
    ],
)
def test_ages_of_ninety_and_more_are_written_as_ninety(age: str, capped: str | None) -> None:
    assert capped_age(age) == capped


def test_age_and_year_of_birth_stay_together(both_ways: BothWays) -> None:
    dates = Dates(birth_year=True)
    deidentifier = Deidentifier(BASIC, secret=SECRET, dates=dates, options=["retain_patient_characteristics"])
    old = both_ways(deidentifier, instance()).dataset
    young = both_ways(deidentifier, instance(PatientBirthDate="19810630", PatientAge="038Y")).dataset

    assert old.PatientAge == "090Y"
    assert old.PatientBirthDate == f"{day(old.StudyDate).year - 90}0101"
    assert young.PatientAge == "038Y"
    assert young.PatientBirthDate in {"19810101", "19820101"}


def test_a_shifted_date_of_birth_reveals_no_age_above_ninety(both_ways: BothWays) -> None:
    old = both_ways(Deidentifier(KEEP_ALL, secret=SECRET, dates=Dates()), instance()).dataset
    as_it_is = both_ways(Deidentifier(KEEP_ALL, secret=SECRET, dates=Dates(cap_ages=False)), instance()).dataset

    assert (old.PatientAge, old.PatientBirthDate) == ("090Y", f"{day(old.StudyDate).year - 90}0101")
    assert as_it_is.PatientAge == "092Y"
    assert day(as_it_is.StudyDate) - day(as_it_is.PatientBirthDate) == date(2020, 3, 10) - date(1928, 2, 3)


@pytest.mark.parametrize("birth_year", [True, False])
@pytest.mark.parametrize("study_date", [None, ""])
def test_without_a_study_date_no_date_of_birth_reveals_an_age(
    study_date: str | None, birth_year: bool, both_ways: BothWays
) -> None:
    dataset = instance(StudyDate=study_date)
    deidentifier = Deidentifier(KEEP_ALL, secret=SECRET, dates=Dates(birth_year=birth_year))

    assert both_ways(deidentifier, dataset).dataset.PatientBirthDate == ""


def test_ages_are_capped_wherever_they_are_ages(both_ways: BothWays) -> None:
    dataset, item = instance(SelectorASValue="095Y"), Dataset()
    item.PatientAge = "101Y"
    block = dataset.private_block(0x0029, "ACME", create=True)
    block.add_new(0x01, "AS", "095Y")
    block.add_new(0x02, "SQ", [item])
    block.add_new(0x03, "AS", ["034Y", "120Y"])
    new = both_ways(Deidentifier(KEEP_ALL, secret=SECRET, dates=Dates()), dataset).dataset

    block = new.private_block(0x0029, "ACME")
    assert (new.SelectorASValue, block[0x01].value, block[0x02].value[0].PatientAge) == ("090Y", "090Y", "090Y")
    assert list(block[0x03].value) == ["034Y", "090Y"]
    as_it_is = both_ways(Deidentifier(KEEP_ALL, secret=SECRET, dates=Dates(cap_ages=False)), dataset).dataset
    assert as_it_is.private_block(0x0029, "ACME")[0x01].value == "095Y"
