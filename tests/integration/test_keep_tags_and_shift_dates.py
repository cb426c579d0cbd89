"""The recipe "keep these tags, shift their dates": one v1beta1 config, or two v1 configs in a row, give the same."""

from __future__ import annotations

from datetime import date, timedelta

from healthcare_deid import DeidentifyConfig, presets, v1beta1
from healthcare_deid.engine import Deidentifier
from healthcare_deid.testing import sample_dicom

TAGS = ("SOPClassUID", "Modality", "InstanceNumber", "SeriesNumber")


def test_both_recipes_keep_the_tags_and_shift_each_patients_dates_alike() -> None:
    key = presets.generate_crypto_key()
    in_one = (
        v1beta1.DeidentifyConfig.builder()
        .filter_profile("MINIMAL_KEEP_LIST_PROFILE")
        .keep_tags(*TAGS)
        .clean_tags("StudyDate", "SeriesDate", "StudyDescription")
        .shift_dates("DATE", crypto_key=key)
        .redact("PERSON_NAME")
        .build()
    )
    shift = (
        DeidentifyConfig.builder()
        .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        .keep_uids()
        .shift_dates("DATE", crypto_key=key)
        .redact("PERSON_NAME")
        .build()
    )
    keep = DeidentifyConfig.builder().keep_tags(*TAGS, "StudyDate", "SeriesDate", "StudyDescription").build()
    dates: set[str] = set()
    for patient in ("P-1", "P-2", "P-3"):
        original = sample_dicom()[0].dataset
        original.PatientID = patient
        original.StudyDate, original.SeriesDate = "20240110", "20240111"
        original.StudyDescription = "CHEST of Jane Miller"
        one = Deidentifier(in_one).deidentify(original).dataset
        two = Deidentifier(keep).deidentify(Deidentifier(shift).deidentify(original).dataset).dataset
        for keyword in ("StudyDate", "SeriesDate", "StudyDescription", "Modality", "PatientID", "PatientName"):
            assert one.get(keyword) == two.get(keyword), keyword
        assert "PatientID" not in one
        assert one.StudyDescription == "CHEST of"
        assert date.fromisoformat(one.SeriesDate) - date.fromisoformat(one.StudyDate) == timedelta(days=1)
        assert one.StudyDate != "20240110"
        dates.add(one.StudyDate)
    assert len(dates) > 1
