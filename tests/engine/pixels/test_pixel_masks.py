from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, DeviceMask
from healthcare_deid.engine.pixels import Box, PixelRedactor
from healthcare_deid.engine.pixels.lines import TextLine
from healthcare_deid.engine.pixels.masks.device_masks import masked, ultrasound_regions
from healthcare_deid.engine.pixels.masks.learning import propose
from healthcare_deid.engine.pixels.masks.mask_files import load_masks, masks_of, read_json, write_json
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.errors import ConfigError

KEEP_ALL: dict[str, Any] = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
ALL_TEXT = KEEP_ALL | {"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
HEADER = Box(0, 0, 200, 30)
CTP = r"""
Burned-in text (a library)

' Dose sheets (GE)
{ Modality.equals("CT") * Manufacturer.containsIgnoreCase("ge medical")  // a comment
  * !(SeriesDescription.startsWith("Scout") + [0008,0008].contains("PRIMARY\AXIAL")) }
 (0,0,200,30) (10, 40, 5, 6)

Ultrasound
{ ManufacturerModelName.matches("iU2[0-9]") * Rows.isGreaterThan("99") }
(0,0,50,20)
"""
RECIPE = """FORMAT dicom
%filter blacklist
LABEL No secondary captures
contains ImageType SECONDARY
%filter graylist
LABEL GE # (somebody)
contains Modality CT|MR
  + contains Manufacturer GE || equals ManufacturerModelName iU22
  ctpcoordinates 10,40,5,6
  coordinates 0,0,200,30
LABEL ultrasound
present SequenceOfUltrasoundRegions + notequals Modality CT
keepcoordinates from:SequenceOfUltrasoundRegions
coordinates all
%header
REMOVE PatientName
"""


def instance(make_instance: Any, picture: np.ndarray | None = None, **attributes: Any) -> Dataset:
    dataset: Dataset = make_instance(np.full((100, 200), 90, np.uint8) if picture is None else picture)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def boxes_of(masks: Any, dataset: Dataset) -> list[Box]:
    return [box.clipped(200, 100) for box in masked(masks_of(masks), dataset).boxes]


def written(folder: Path, text: str) -> Path:
    path = folder / "masks.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        ({"manufacturer": "acme medical"}, True),
        ({"manufacturer": "ACME Medical", "model": "One", "modality": "US", "rows": 100, "columns": 200}, True),
        ({"manufacturer": "Other"}, False),
        ({"manufacturer": "ACME Medical", "rows": 101}, False),
        ({"station": "US1"}, True),
        ({"image_type": ["DERIVED", "secondary"]}, True),
        ({"image_type": ["PRIMARY"]}, False),
    ],
)
def test_a_mask_is_of_the_instances_that_have_all_it_names(
    given: dict[str, Any], matches: bool, make_instance: Any
) -> None:
    dataset = instance(
        make_instance,
        Manufacturer=" ACME Medical",
        ManufacturerModelName="One",
        StationName="US1",
        Modality="US",
        ImageType=["DERIVED", "SECONDARY"],
    )
    assert masked(masks_of([DeviceMask([HEADER], **given)]), dataset).known is matches


def test_a_region_is_covered_in_every_frame_and_nothing_else_changes_whatever_the_text_mode(make_instance: Any) -> None:
    dataset = instance(make_instance, Manufacturer="ACME")
    dataset.NumberOfFrames = 2
    dataset.PixelData *= 2
    for config in (KEEP_ALL, ALL_TEXT):
        engine = Deidentifier(DeidentifyConfig.from_api(config), masks=[DeviceMask([HEADER], manufacturer="ACME")])
        result = engine.deidentify(dataset)
        frames = np.frombuffer(result.dataset.PixelData, np.uint8).reshape(2, 100, 200)
        assert not frames[:, :30].any()
        assert (frames[:, 30:] == 90).all()
        assert [(one.frame, one.rule) for one in result.redactions] == [(0, "mask"), (1, "mask")]


def test_another_device_is_left_alone(make_instance: Any) -> None:
    engine = Deidentifier(DeidentifyConfig.from_api(KEEP_ALL), masks=[DeviceMask([HEADER], manufacturer="ACME")])
    result = engine.deidentify(instance(make_instance, Manufacturer="Other"))
    assert not result.redactions
    assert set(result.dataset.PixelData) == {90}


class Counting:
    def __init__(self) -> None:
        self.looks = 0

    def find(self, picture: object, *, read: bool, within: object) -> list[Any]:
        del picture, read, within
        self.looks += 1
        return []


@pytest.mark.parametrize("never", ["mask", "redactor"])
def test_on_a_known_device_no_text_is_looked_for_when_so_asked_and_the_result_says_so(
    never: str, make_instance: Any
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (100, 200), np.uint8)
    mask = DeviceMask([HEADER], manufacturer="ACME", ocr="never" if never == "mask" else "also")
    ocr = Counting()
    redactor = PixelRedactor(
        PixelPlan(Scope.EVERYTHING), ocr=ocr, masks=masks_of([mask]), unmasked_only=never == "redactor"
    )
    report = redactor.redact(instance(make_instance, noise, Manufacturer="ACME"), None)
    assert ocr.looks == 0
    assert not report.all_text_covered
    assert [one.rule for one in report.redactions] == ["mask"]
    assert any("not searched for" in warning for warning in report.warnings)

    report = redactor.redact(instance(make_instance, noise, Manufacturer="Other"), None)
    assert ocr.looks == 1
    assert report.all_text_covered
    assert not report.redactions


def test_a_mask_that_lies_outside_the_picture_is_told(make_instance: Any) -> None:
    masks = masks_of([DeviceMask([Box(500, 0, 600, 10)], modality="US")])
    report = PixelRedactor(PixelPlan(), masks=masks).redact(instance(make_instance, Modality="US"), None)
    assert not report.redactions
    assert any("none of its regions" in warning for warning in report.warnings)


def test_a_mask_of_ultrasound_regions_that_an_instance_does_not_name_is_told(
    make_instance: Any, tmp_path: Path
) -> None:
    recipe = "%filter graylist\nLABEL a\ncontains Modality US\ncoordinates from:SequenceOfUltrasoundRegions\n"
    redactor = PixelRedactor(PixelPlan(), masks=load_masks(written(tmp_path, recipe)))
    report = redactor.redact(instance(make_instance, Modality="US"), None)
    assert any("none of its regions" in warning for warning in report.warnings)
    assert not redactor.redact(Dataset(), None).warnings


@pytest.mark.parametrize("never", ["mask", "redactor"])
@pytest.mark.parametrize("region", [Box(500, 0, 600, 10), Box(0, 100, 200, 130), Box(200, 0, 210, 30)])
def test_a_picture_in_which_no_region_of_its_mask_lies_is_looked_at_whatever_the_mask_says(
    never: str, region: Box, make_instance: Any
) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (100, 200), np.uint8)
    mask = DeviceMask([region], manufacturer="ACME", ocr="never" if never == "mask" else "also")
    ocr = Counting()
    redactor = PixelRedactor(
        PixelPlan(Scope.EVERYTHING), ocr=ocr, masks=masks_of([mask]), unmasked_only=never == "redactor"
    )
    report = redactor.redact(instance(make_instance, noise, Manufacturer="ACME"), None)
    assert ocr.looks == 1
    assert report.all_text_covered
    assert not report.masks_alone
    assert any("none of its regions" in warning for warning in report.warnings)
    assert not any("not searched for" in warning for warning in report.warnings)


def test_pixels_are_not_said_to_be_clean_where_an_overlay_alone_was_looked_at(make_instance: Any) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (100, 200), np.uint8)
    dataset = instance(make_instance, noise, Manufacturer="ACME", BurnedInAnnotation="NO")
    dataset.add_new(0x60000010, "US", 100)
    dataset.add_new(0x60000011, "US", 200)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", bytes(range(250)) * 10)
    config: dict[str, Any] = {
        "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
        "image": {"textRedactionMode": "REDACT_ALL_TEXT"},
    }
    for never in ("never", "also"):
        mask = DeviceMask([HEADER], manufacturer="ACME", ocr="never" if never == "never" else "also")
        engine = Deidentifier(DeidentifyConfig.from_api(config), ocr=Counting(), masks=[mask])
        result = engine.deidentify(dataset).dataset
        codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
        assert ("113101" in codes) is (never == "also")
        assert (result.get("BurnedInAnnotation") == "NO") is (never == "also")


def test_ocr_never_without_masks_is_refused() -> None:
    with pytest.raises(ConfigError, match="masks"):
        Deidentifier(DeidentifyConfig.from_api(ALL_TEXT), ocr="never")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"Modality": "CT", "Manufacturer": "GE MEDICAL SYSTEMS"}, [Box(0, 0, 200, 30), Box(10, 40, 15, 46)]),
        ({"Modality": "CT", "Manufacturer": "GE MEDICAL SYSTEMS", "SeriesDescription": "Scout 1"}, []),
        ({"Modality": "CT", "Manufacturer": "GE MEDICAL", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, []),
        ({"Modality": "MR", "Manufacturer": "GE MEDICAL"}, []),
        ({"ManufacturerModelName": "iU22"}, [Box(0, 0, 50, 20)]),
        ({"ManufacturerModelName": "iU222"}, []),
    ],
)
def test_a_ctp_script_says_what_it_says_in_ctp(
    attributes: dict[str, Any], expected: list[Box], make_instance: Any, tmp_path: Path
) -> None:
    assert boxes_of(written(tmp_path, CTP), instance(make_instance, **attributes)) == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"Modality": "MR", "Manufacturer": "ge"}, [Box(0, 0, 200, 30), Box(10, 40, 15, 46)]),
        ({"Modality": "XA", "ManufacturerModelName": "iU22"}, [Box(0, 0, 200, 30), Box(10, 40, 15, 46)]),
        ({"Modality": "XA", "Manufacturer": "GE"}, []),
    ],
)
def test_a_recipe_of_deid_says_what_it_says_there(
    attributes: dict[str, Any], expected: list[Box], make_instance: Any, tmp_path: Path
) -> None:
    assert sorted(boxes_of(written(tmp_path, RECIPE), instance(make_instance, **attributes))) == sorted(expected)


@pytest.mark.parametrize(
    "regions",
    [
        "(0,0,200,30), (10,40,5,6)",
        "(0,0,200,30)\n// the foot (GE)\n(10, 40, 5, 6)",
        "the head:(0,0,200,30) the foot : ( 10,40,5,6 ) (0,0,0,9)",
        "(a, b)(0,0,200,30);(10,40,5,6)",
    ],
)
def test_all_regions_of_a_ctp_script_up_to_the_next_brace_are_covered(
    regions: str, make_instance: Any, tmp_path: Path
) -> None:
    script = f'{{ Modality.equals("CT") }} {regions}\nNext (one)\n{{ Modality.equals("US") }} (0,0,9,9)'
    expected = [Box(0, 0, 200, 30), Box(10, 40, 15, 46)]
    assert boxes_of(written(tmp_path, script), instance(make_instance, Modality="CT")) == expected


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    return item


def test_all_but_the_instances_own_ultrasound_regions_is_covered(make_instance: Any, tmp_path: Path) -> None:
    dataset = instance(make_instance, Modality="US", SequenceOfUltrasoundRegions=[region(20, 30, 119, 79)])
    assert ultrasound_regions(dataset) == [Box(20, 30, 120, 80)]
    redactor = PixelRedactor(PixelPlan(), masks=load_masks(written(tmp_path, RECIPE)))
    redactor.redact(dataset, None)
    pixels = np.frombuffer(dataset.PixelData, np.uint8).reshape(100, 200)
    assert (pixels[30:80, 20:120] == 90).all()
    assert (pixels == 90).sum() == 50 * 100


@pytest.mark.parametrize(
    "text",
    [
        "nothing of the kind",
        '{ Modality.equals("CT") } no regions',
        '{ Modality.equals("CT") (0,0,1,1)',
        '{ Modality.equals("CT") } (0,0,1,1) (0,0,9)',
        '{ Modality.equals("CT") } (0,0,1,1) (0,0,9,9.5)',
        '{ Modality.equals("CT") } (0,0,1,1) (0,0,9,)',
        "{" + "!" * 50_000 + "} (0,0,1,1)",
        "{" + "(" * 50_000 + "} (0,0,1,1)",
        '{ Modality.sounds("CT") } (0,0,1,1)',
        '{ NoSuchKeyword.equals("CT") } (0,0,1,1)',
        '{ Modality.matches("(a") } (0,0,1,1)',
        '{ Modality.equals("CT") + } (0,0,1,1)',
        '{ Modality.equals("CT") Modality } (0,0,1,1)',
        "%filter graylist\nLABEL a\ncontains Modality CT\n",
        "%filter graylist\nLABEL a\nsounds Modality CT\ncoordinates 1,1,2,2\n",
        "%filter graylist\nLABEL a\ncontains Modality CT\ncoordinates 1,1,2\n",
        "%filter graylist\nLABEL a\ncontains Modality (CT\ncoordinates 1,1,2,2\n",
        "%filter graylist\nLABEL a\ncontains Modality CT\ncoordinates from:Elsewhere\n",
        "[1]",
        "[" * 100_000,
        '[{"modality": " ", "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": 5, "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": ["CT", "MR"], "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"rows": "many", "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"imageType": ["DERIVED", ""], "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": "CT", "regions": [{"x": 0.5, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": "CT", "regions": [{"x": true, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": "CT", "regions": [{"x": "0", "y": "0", "width": "5", "height": "5"}]}]',
        '[{"regions": []}]',
        '[{"regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": "CT", "vendor": "x", "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
        '[{"modality": "CT", "ocr": "often", "regions": [{"x": 0, "y": 0, "width": 5, "height": 5}]}]',
    ],
)
def test_a_file_that_is_not_understood_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="masks"):
        load_masks(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="masks"):
        masks_of(tmp_path / "none")


def test_an_unknown_key_of_a_mask_is_named() -> None:
    with pytest.raises(ConfigError, match="no key is called 'vendor'"):
        read_json('[{"vendor": "x", "regions": []}]')


@pytest.mark.parametrize(
    "regions", [[(0, 0, 10)], [("0", "0", "1", "1")], [(10, 10, 0, 0)], [(-1, 0, 5, 5)], [(0, 0, 5.0, 5)]]
)
def test_regions_that_are_no_rectangle_are_refused(regions: Any) -> None:
    with pytest.raises(ConfigError, match="regions"):
        DeviceMask(regions, modality="CT")


def test_masks_come_back_from_json_as_they_were() -> None:
    masks = [
        DeviceMask((HEADER, Box(1, 2, 3, 4)), "ACME", "One", "US1", "US", 100, 200, ("DERIVED",), "never"),
        DeviceMask((HEADER,), modality="CT"),
    ]
    assert [mask.mask for mask in read_json(write_json(masks))] == [mask.mask for mask in masks]


def test_text_in_one_place_of_several_instances_becomes_the_devices_mask(
    written_phantom: Any, make_instance: Any
) -> None:
    names = ["KOWALCZYK MARIA", "OKAFOR CHIDI", "TANAKA YUKI"]
    written_ones = [written_phantom((20, 12, name), size=(400, 260), height=18) for name in names]
    datasets = [
        instance(make_instance, one.picture, Manufacturer="ACME", ManufacturerModelName="One", Modality="US")
        for one in written_ones
    ]
    other = instance(make_instance, written_ones[0].picture, Manufacturer="Other", Modality="US")

    (proposal,) = propose([*datasets, other, Dataset()])

    assert proposal.instances == 3
    assert proposal.mask is not None
    assert (proposal.mask.manufacturer, proposal.mask.rows, proposal.mask.columns) == ("ACME", 260, 400)
    redactor = PixelRedactor(PixelPlan(), masks=masks_of([proposal.mask]))
    for dataset, one in zip(datasets, written_ones, strict=True):
        assert one.covered_by(redactor.redact(dataset, None).redactions) >= 0.9
    covered = sum(Box(*region).area for region in proposal.mask.regions)
    assert covered < 0.2 * 260 * 400
    assert proposal.picture.size == (400, 260)


class Above:
    def find(self, picture: object, *, read: bool, within: object) -> list[TextLine]:
        del picture, read, within
        return [TextLine(Box(5, 5, 100, 20))]


def test_a_proposed_mask_is_of_its_own_device_whatever_its_attributes_hold(make_instance: Any) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (100, 200), np.uint8)
    several = {"Manufacturer": ["ACME", " Medical"], "ManufacturerModelName": "", "Modality": "US"}
    datasets = [instance(make_instance, noise, **several) for _ in range(2)]
    (proposal,) = propose(datasets, ocr=Above())
    assert proposal.mask is not None
    assert masked(masks_of(read_json(write_json([proposal.mask]))), datasets[0]).known


def test_text_outside_an_ultrasound_image_is_covered_unless_it_is_settings(make_instance: Any) -> None:
    class Told:
        def find(self, picture: object, *, read: bool, within: object) -> list[TextLine]:
            del picture, read, within
            texts = ("KLINIKUM WESTHAFEN", "Depth 16 cm", "septum zqxv")
            return [
                TextLine(Box(5, 30 * row, 150, 30 * row + 15), text=text, text_confidence=0.99, weakest=0.99)
                for row, text in enumerate(texts)
            ]

    noise = np.random.default_rng(3).integers(0, 255, (100, 200), np.uint8)
    dataset = instance(make_instance, noise, SequenceOfUltrasoundRegions=[region(0, 55, 199, 99)])
    inspector = TextEngine(TextPlan()).bind(dataset)
    report = PixelRedactor(PixelPlan(Scope.SENSITIVE), ocr=Told()).redact(dataset, inspector)
    assert [(one.y, one.rule) for one in report.redactions] == [(0, "outside-image")]
