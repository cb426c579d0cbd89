"""A preview in a notebook's cell: tags and pictures before and after, and no value in what is printed."""

from __future__ import annotations

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report import preview
from healthcare_deid.testing import sample_dicom

CONFIG = presets.remove_metadata_and_all_text().model_copy(update={"image": None})


def test_a_preview_shows_both_sides_and_every_change() -> None:
    sample = sample_dicom()[0]
    shown = preview(sample.dataset, CONFIG)
    page = shown._repr_html_()
    assert page.count("<img") == 2
    assert "PatientName" in page
    assert "no pixel changed in 1 frame" in page
    for word in (*sample.person.name.split("^"), sample.person.patient_id):
        assert word not in page
        assert word not in repr(shown)
    assert str(sample.dataset.PatientName) == sample.person.name, "the instance is not modified"


def test_a_preview_takes_an_engine_that_is_made_already() -> None:
    sample = sample_dicom()[1]
    engine = Deidentifier(CONFIG)
    assert preview(sample.dataset, engine).result.dataset.PatientIdentityRemoved == "YES"


def test_an_instance_without_pixels_is_shown_by_its_tags() -> None:
    dataset = sample_dicom()[0].dataset
    del dataset.PixelData
    assert "<img" not in preview(dataset, CONFIG)._repr_html_()
