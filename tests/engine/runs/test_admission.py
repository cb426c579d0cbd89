"""What may leave at all: rules refuse instances by name, before anything is made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RawDataStorage,
    SecondaryCaptureImageStorage,
    SpatialRegistrationStorage,
    XRayRadiationDoseSRStorage,
)

from healthcare_deid.cli.admission import REFUSABLE
from healthcare_deid.engine import Admission, AdmissionRule, Bounds
from healthcare_deid.engine.dicom.sources import InMemory
from healthcare_deid.engine.header.fast.encoded_file import encoded_file
from healthcare_deid.engine.runs.admission import NOT_ADMITTED, READY_RULES, UNREADABLE
from healthcare_deid.engine.runs.gate import Gate
from healthcare_deid.errors import ConfigError, RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
CT = {"Rows": 512, "Columns": 512, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BurnedInAnnotation": "NO"}
ENDOSCOPE = "1.2.840.10008.5.1.4.1.1.77.1.1"
SCREENSHOT = {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "OT", "ConversionType": "WSD"}


def refusal(gate: Gate, data: bytes) -> str | None:
    source = InMemory(data)
    return gate.refusal(source, encoded_file(source))


def meets(rule: AdmissionRule, data: bytes) -> bool:
    return refusal(Gate(Admission(refuse=[rule])), data) == rule.name


@pytest.mark.parametrize(
    ("condition", "met", "not_met"),
    [
        ({"modality": ["mr", "ct"]}, {}, {"Modality": "US"}),
        ({"sop_class": ["SecondaryCaptureImageStorage"]}, SCREENSHOT, {}),
        ({"sop_class": [str(RawDataStorage)]}, {"SOPClassUID": RawDataStorage}, {"SOPClassUID": RawDataStorage + ".1"}),
        ({"image_type": ["derived", "localizer"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, {}),
        ({"image_type": ["PRIMARY"]}, {}, {"ImageType": ""}),
        ({"kind": ["secondary-capture"]}, SCREENSHOT, {}),
        ({"kind": ["secondary-capture"]}, {"ConversionType": "DF"}, {"ConversionType": ""}),
        ({"kind": ["secondary-capture"]}, {"SOPClassUID": SecondaryCaptureImageStorage}, {"SOPClassUID": ENDOSCOPE}),
        ({"kind": ["document"]}, {"SOPClassUID": EncapsulatedPDFStorage}, SCREENSHOT),
        ({"kind": ["report"]}, {"SOPClassUID": XRayRadiationDoseSRStorage}, {}),
        ({"kind": ["presentation-state"]}, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1"}, SCREENSHOT),
        ({"kind": ["raw-data"]}, {"SOPClassUID": RawDataStorage}, {"SOPClassUID": SpatialRegistrationStorage}),
        ({"burned_in": ["yes"]}, {"BurnedInAnnotation": "YES"}, {}),
        ({"burned_in": ["yes", "absent"]}, {"BurnedInAnnotation": None}, {}),
        ({"rows": Bounds(max=255)}, {"Rows": 255}, {"Rows": 256}),
        ({"columns": Bounds(min=512)}, {}, {"Columns": 511}),
        ({"frames": Bounds(min=2)}, {"NumberOfFrames": 30}, {}),
        ({"frames": Bounds(max=1)}, {}, {"NumberOfFrames": 2}),
        ({"equals": {"Manufacturer": ["Acme", "GE MEDICAL SYSTEMS"]}}, {"Manufacturer": "ge medical systems "}, {}),
        ({"contains": {"SeriesDescription": ["dose report"]}}, {"SeriesDescription": "CT Dose Report"}, {}),
        ({"absent": ["SeriesDescription"]}, {"SeriesDescription": ""}, {"SeriesDescription": "Axial"}),
        ({"modality": ["CT"], "rows": Bounds(max=64)}, {"Rows": 64}, {"Rows": 64, "Modality": "MR"}),
    ],
)
def test_a_rule_is_met_by_what_it_says_in_every_encoding(
    of: Callable[..., list[bytes]], condition: dict[str, Any], met: dict[str, Any], not_met: dict[str, Any]
) -> None:
    rule = AdmissionRule(name="rule", **condition)
    assert [meets(rule, data) for data in of(**(CT | met))] == [True] * 3
    assert [meets(rule, data) for data in of(**(CT | not_met))] == [False] * 3


def test_the_file_s_size_can_be_bounded(instance_file: Callable[..., bytes]) -> None:
    data = instance_file(1)
    assert meets(AdmissionRule(name="large", size=Bounds(min=len(data))), data)
    assert not meets(AdmissionRule(name="large", size=Bounds(min=len(data) + 1)), data)


@pytest.mark.parametrize(
    ("condition", "attributes"),
    [
        ({"modality": ["CT"]}, {"Modality": ""}),
        ({"rows": Bounds(max=10)}, {"Rows": [512, 512]}),
        ({"columns": Bounds(min=10)}, {"Columns": [512, 512]}),
        ({"frames": Bounds(max=10)}, {"NumberOfFrames": [1, 2]}),
        ({"burned_in": ["yes"]}, {"BurnedInAnnotation": "PERHAPS"}),
    ],
)
def test_what_a_rule_cannot_read_stays_here(
    instance_file: Callable[..., bytes], condition: dict[str, Any], attributes: dict[str, Any]
) -> None:
    for admission in (
        Admission(refuse=[AdmissionRule(name="rule", **condition)]),
        Admission(
            admit=[AdmissionRule(name="another", modality=["CT", "MR"]), AdmissionRule(name="rule", **condition)]
        ),
    ):
        assert refusal(Gate(admission), instance_file(1, **(CT | attributes))) == UNREADABLE


@pytest.mark.parametrize("encapsulated", [False, True])
def test_an_attribute_out_of_its_place_is_found(instance_file: Callable[..., bytes], encapsulated: bool) -> None:
    late = b"\x28\x00\x01\x03CS\x04\x00YES "  # (0028,0301)
    pixels = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    data = instance_file(1, **(CT | {"BurnedInAnnotation": None})) + (pixels if encapsulated else b"") + late
    burned_in = Admission(refuse=[AdmissionRule(name="burned-in", burned_in=["yes"])])
    assert refusal(Gate(burned_in), data) == "burned-in"


def test_with_rules_that_admit_everything_else_stays_here(instance_file: Callable[..., bytes]) -> None:
    gate = Gate(Admission(admit=[AdmissionRule(name="ct", modality=["CT"])], refuse=[READY_RULES["derived"]]))
    assert refusal(gate, instance_file(1, **CT)) is None
    assert refusal(gate, instance_file(1, Modality="US")) == NOT_ADMITTED
    assert refusal(gate, instance_file(1, ImageType=["DERIVED", "PRIMARY"])) == "derived"


def test_every_condition_that_a_rule_can_have_is_carried_out(instance_file: Callable[..., bytes]) -> None:
    unmet = {
        "sop_class": ["1.2"], "kind": ["document"], "modality": ["XX"], "image_type": ["XX"], "burned_in": ["yes"],
        "size": Bounds(max=1), "rows": Bounds(max=1), "columns": Bounds(max=1), "frames": Bounds(min=9),
        "equals": {"Manufacturer": ["XX"]}, "contains": {"Manufacturer": ["XX"]}, "absent": ["PatientID"],
    }  # fmt: skip
    assert set(unmet) == set(AdmissionRule.model_fields) - {"name"}
    for name, given in unmet.items():
        assert not meets(AdmissionRule.from_api({"name": name, name: given}), instance_file(1, **CT))


def test_refused_files_are_counted_by_rule_and_nothing_is_written_for_them(
    profile: Any, scans: Path, rules: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", admit=rules, workers=2)
    assert report.refused_by == {"screenshots": 2, NOT_ADMITTED: 1}
    assert (report.found, report.succeeded, report.failed, report.refused, report.ignored) == (8, 3, 2, 3, 1)
    assert report.found == report.succeeded + report.duplicates + report.skipped + report.failed + report.refused
    assert len(contents(tmp_path / "clean")) == 3
    summary = json.loads((report.run / "summary.json").read_text())
    assert summary["refusedByRule"] == report.refused_by
    assert summary["counts"]["refused"] == 3
    again = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", admit=rules)
    assert (again.succeeded, again.skipped, again.refused) == (0, 3, 3)


def test_other_rules_are_another_run(profile: Any, scans: Path, rules: Path, tmp_path: Path) -> None:
    engine = profile(BASIC)
    engine.deidentify_tree(scans, tmp_path / "clean", workers=1)
    with pytest.raises(RunRefused, match=r'run.admit: none there, \["refuse screenshots: kind sec'):
        engine.deidentify_tree(scans, tmp_path / "clean", admit=rules)
    report = engine.deidentify_tree(scans, tmp_path / "clean", admit=rules, workers=1, overwrite=True)
    assert (report.succeeded, report.refused) == (3, 3)
    assert len([*(tmp_path / "clean").rglob("*.dcm")]) == 3  # what the rules refuse is gone


def test_values_that_a_rule_compares_with_are_not_in_the_manifest(profile: Any, scans: Path, tmp_path: Path) -> None:
    rule = AdmissionRule(name="withdrawn", equals={"PatientName": ["Okonkwo^Ada"]})
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", admit=Admission(refuse=[rule]), workers=1)
    assert report.refused_by == {"withdrawn": 7}
    assert not any(b"Okonkwo" in path.read_bytes() for path in report.run.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("refuse: []", "needs a rule in refuse or admit"),
        ("refuse: [{name: all}]", r"refuse\[0\]: needs a condition"),
        ("refuse: [{name: x, modlity: [CT]}]", "did you mean modality"),
        ("refuse: [{name: x, rows: {min: 3, max: 2}}]", "min that is not above its max"),
        ("refuse: [{name: x, rows: {}}]", "needs min, max or both"),
        ("refuse: [{name: x, sopClass: [CTImage]}]", "is a UID, or the standard's keyword"),
        ("refuse: [{name: x, equals: {PixelData: [a]}}]", "attribute with text"),
        ("refuse: [{name: x, equals: {}}]", "needs at least one value"),
        ("admit: [{name: x, kind: [letter]}]", "'document'"),
        ("admit: [{name: x, modality: [CT]}, {name: x, modality: [MR]}]", "another name for each rule"),
        (f"admit: [{{name: {NOT_ADMITTED}, modality: [CT]}}]", "is a short text"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused_with_their_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Admission.from_yaml(text)


def test_the_command_line_offers_every_ready_rule() -> None:
    assert sorted(READY_RULES) == sorted(REFUSABLE)


@pytest.fixture
def of(as_file: Callable[..., bytes], instance_file: Callable[..., bytes]) -> Callable[..., list[bytes]]:
    """Makes the file of an instance with these attributes in three encodings."""
    import io

    import pydicom

    def make(**attributes: Any) -> list[bytes]:
        data = instance_file(1, **attributes)
        return [
            data,
            *(
                as_file(pydicom.dcmread(io.BytesIO(data)), syntax)
                for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian)
            ),
        ]

    return make


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    """Three CT images, two screenshots, an ultrasound image, a broken file, an empty one and a letter."""
    for number in range(3):
        put(tmp_path / "scans" / f"{number}", instance_file(number, **CT))
    for number in (3, 4):
        put(tmp_path / "scans" / f"{number}", instance_file(number, **SCREENSHOT))
    put(tmp_path / "scans" / "5", instance_file(5, Modality="US"))
    put(tmp_path / "scans" / "6.dcm", instance_file(6)[:-3])
    put(tmp_path / "scans" / "7.dcm", b"")
    put(tmp_path / "scans" / "letter.txt", b"Dear colleague")
    return tmp_path / "scans"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "refuse:\n"
        "  - name: screenshots\n"
        "    kind: [secondary-capture]\n"
        "admit:\n"
        "  - name: CT and MR\n"
        "    modality: [CT, MR]\n"
    )
    return path
