"""Tiles of a whole-slide image are looked at side by side."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from healthcare_deid.config import v1beta1
from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.find.mosaic import Mosaic, planes_of
from healthcare_deid.engine.pixels.frames.layout import PixelLayout, pixel_layout
from healthcare_deid.engine.pixels.frames.targets import targets
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.plan.v1beta1 import pixel_plan
from healthcare_deid.engine.text.engine import TextEngine

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128
ALL_TEXT = PixelPlan(Scope.EVERYTHING)
MODES = ("REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS")


def _tiles(picture: NDArray[Any]) -> NDArray[Any]:
    """Cut a picture into tiles, row by row."""
    rows, columns = picture.shape[0] // SIDE, picture.shape[1] // SIDE
    tiles = picture.reshape(rows, SIDE, columns, SIDE, -1).swapaxes(1, 2).reshape(rows * columns, SIDE, SIDE, -1)
    return np.ascontiguousarray(tiles)


def _whole(tiles: NDArray[Any], columns: int) -> NDArray[Any]:
    rows = len(tiles) // columns
    return tiles.reshape(rows, columns, SIDE, SIDE, -1).swapaxes(1, 2).reshape(rows * SIDE, columns * SIDE, -1)


def _position(row: int, column: int) -> Dataset:
    position, group = Dataset(), Dataset()
    position.RowPositionInTotalImagePixelMatrix = row * SIDE + 1
    position.ColumnPositionInTotalImagePixelMatrix = column * SIDE + 1
    group.PlanePositionSlideSequence = Sequence([position])
    return group


def _slide(make_instance: Any, picture: NDArray[Any], *, sparse: bool = False, flavour: str = "VOLUME") -> Dataset:
    tiles = _tiles(picture)
    rows, columns = picture.shape[0] // SIDE, picture.shape[1] // SIDE
    places = [divmod(index, columns) for index in range(rows * columns)]
    if sparse:  # in another order, and without the last one
        order = np.random.default_rng(1).permutation(len(tiles) - 1)
        tiles, places = tiles[order], [places[index] for index in order]
    dataset: Dataset = make_instance(tiles, colour=True)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    dataset.PatientName = "CASTELLANOS^MAEVE"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", flavour, "NONE"]
    dataset.TotalPixelMatrixRows, dataset.TotalPixelMatrixColumns = picture.shape[:2]
    dataset.DimensionOrganizationType = "TILED_SPARSE" if sparse else "TILED_FULL"
    if sparse:
        dataset.PerFrameFunctionalGroupsSequence = Sequence([_position(*place) for place in places])
    return dataset


def _jpeg(dataset: Dataset) -> Dataset:
    tiles = dataset.pixel_array
    streams: list[bytes] = []
    for tile in tiles:
        stream = io.BytesIO()
        Image.fromarray(tile).save(stream, "JPEG", quality=95)
        streams.append(stream.getvalue())
    dataset["PixelData"] = DataElement("PixelData", "OB", encapsulate(streams))
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    return dataset


@pytest.fixture
def written(drawn: Any) -> NDArray[np.uint8]:
    """A name whose middle is where four tiles meet, on a bright background, in four times six tiles."""
    gray = drawn((270, 245, "MAEVE CASTELLANOS"), size=(6 * SIDE, 4 * SIDE), height=22, shade=20, back=235)
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


@pytest.mark.parametrize("sparse", [False, True], ids=["full", "sparse"])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEG2000Lossless], ids=lambda u: u.keyword
)
def test_a_name_across_the_borders_of_tiles_is_read_as_one(
    sparse: bool, syntax: str, written: Any, make_instance: Any
) -> None:
    dataset = _slide(make_instance, written, sparse=sparse)
    if syntax == JPEGBaseline8Bit:
        _jpeg(dataset)
    elif syntax == JPEG2000Lossless:
        dataset.compress(JPEG2000Lossless, encoding_plugin="")
    before = dataset.pixel_array
    inspector = TextEngine(TextPlan()).bind(dataset)
    image = v1beta1.ImageConfig.from_api({"textRedactionMode": "REDACT_SENSITIVE_TEXT"})
    report = PixelRedactor(pixel_plan(image), workers=1).redact(dataset, inspector)
    assert all(redaction.rule.startswith("infoType:") for redaction in report.redactions)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    after = pydicom.dcmread(stream).pixel_array
    covered = np.zeros(before.shape[:3], bool)
    for item in report.redactions:
        covered[item.frame, item.y : item.y + item.height, item.x : item.x + item.width] = True
    assert len({item.frame for item in report.redactions}) >= 4
    assert np.array_equal(after[~covered], before[~covered])
    assert not after[covered].any()
    assert not (before.max(axis=3) < 150)[~covered].any()  # no ink is left


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flavour", ["VOLUME", "LABEL", "OVERVIEW"])
def test_every_kind_of_slide_image_passes_in_every_mode(
    mode: str, flavour: str, written: Any, make_instance: Any
) -> None:
    dataset = _slide(make_instance, written, flavour=flavour)
    inspector = TextEngine(TextPlan()).bind(dataset)
    PixelRedactor(pixel_plan(v1beta1.ImageConfig.from_api({"textRedactionMode": mode})), workers=1).redact(
        dataset, inspector
    )
    left = _whole(dataset.pixel_array, 6)
    assert not ((left > 5) & (left < 150)).any()


def test_planes_are_looked_at_apart(written: Any, make_instance: Any) -> None:
    dataset = _slide(make_instance, np.concatenate([written, written]))
    dataset.TotalPixelMatrixRows = written.shape[0]  # the second half is another focal plane
    planes = planes_of(dataset, pixel_layout(dataset, 0x7FE00010))
    assert [sorted(plane.values()) for plane in planes] == [list(range(24)), list(range(24, 48))]


@pytest.mark.parametrize(
    "changed",
    [
        {"TotalPixelMatrixColumns": 5 * SIDE},
        {"DimensionOrganizationType": "3D"},
        {"TotalPixelMatrixRows": None},
        {"TotalPixelMatrixRows": 0},
    ],
    ids=["count", "no tiles", "missing", "nothing"],
)
def test_places_that_make_no_sense_leave_tiles_by_themselves(
    changed: dict[str, Any], written: Any, make_instance: Any
) -> None:
    dataset = _slide(make_instance, written)
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    assert planes_of(dataset, pixel_layout(dataset, 0x7FE00010)) == []


@pytest.mark.parametrize("rows_off", [SIDE // 2, 0], ids=["off the grid", "twice"])
def test_sparse_tiles_that_do_not_lie_side_by_side_are_looked_at_by_themselves(
    rows_off: int, written: Any, make_instance: Any
) -> None:
    dataset = _slide(make_instance, written, sparse=True)
    one, other = (group.PlanePositionSlideSequence[0] for group in dataset.PerFrameFunctionalGroupsSequence[:2])
    one.RowPositionInTotalImagePixelMatrix = other.RowPositionInTotalImagePixelMatrix + rows_off
    one.ColumnPositionInTotalImagePixelMatrix = other.ColumnPositionInTotalImagePixelMatrix
    assert planes_of(dataset, pixel_layout(dataset, 0x7FE00010)) == []


def test_a_tile_at_a_place_that_cannot_be_is_looked_at_all_the_same(make_instance: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2 * SIDE, 2 * SIDE, 3)).astype(np.uint8)
    dataset = _slide(make_instance, noise, sparse=True)
    place = dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSlideSequence[0]
    place.RowPositionInTotalImagePixelMatrix = 1 - SIDE

    report = PixelRedactor(ALL_TEXT, ocr=_Everywhere()).redact(dataset, None)

    assert {redaction.frame for redaction in report.redactions} == set(range(dataset.NumberOfFrames))


@pytest.mark.parametrize("size", [(-2, -2), (-1, -4), (-4, -1)])
def test_every_tile_of_a_whole_of_negative_size_is_looked_at(size: tuple[int, int], make_instance: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2 * SIDE, 2 * SIDE, 3)).astype(np.uint8)
    dataset = _slide(make_instance, noise)
    dataset["TotalPixelMatrixRows"] = DataElement("TotalPixelMatrixRows", "SL", size[0] * SIDE)
    dataset["TotalPixelMatrixColumns"] = DataElement("TotalPixelMatrixColumns", "SL", size[1] * SIDE)

    report = PixelRedactor(ALL_TEXT, ocr=_Everywhere()).redact(dataset, None)

    assert {redaction.frame for redaction in report.redactions} == set(range(dataset.NumberOfFrames))


class _Everywhere:
    """An OCR that takes all it is shown for text."""

    def find(self, picture: Any, *, read: bool, within: Box | None) -> list[TextLine]:
        return [TextLine(Box(0, 0, picture.shape[1], picture.shape[0]))]


@given(st.integers(1, 30), st.integers(1, 30))
def test_every_two_neighbours_are_in_one_window_and_every_pixel_has_its_place(rows: int, columns: int) -> None:
    layout = PixelLayout(rows=512, columns=512, frames=rows * columns)
    mosaic = Mosaic(_Places(layout), [{divmod(index, columns): index for index in range(rows * columns)}])  # type: ignore[arg-type]
    together: set[tuple[int, int]] = set()
    for index in range(mosaic.count):
        whole = Box(0, 0, mosaic.columns, 10 * 512)
        frames = [frame for frame, _ in mosaic.places(index, whole)]
        together |= {(one, other) for one in frames for other in frames}
    for frame in range(rows * columns):
        assert (frame, frame) in together
        assert (frame + 1) % columns == 0 or (frame, frame + 1) in together
        assert frame + columns >= rows * columns or (frame, frame + columns) in together


class _Places:
    """What a mosaic asks of an element to say where boxes lie."""

    def __init__(self, layout: PixelLayout) -> None:
        self.layout = layout
        self.columns = layout.columns


def test_a_box_is_cut_at_the_borders(written: Any, make_instance: Any) -> None:
    dataset = _slide(make_instance, written)
    (target,) = targets(dataset)
    element = PixelElement(target, ExplicitVRLittleEndian)
    mosaic = Mosaic(element, planes_of(dataset, element.layout))
    assert mosaic.count == 1
    assert np.array_equal(mosaic.words(0), written)
    places = dict(mosaic.places(0, Box(SIDE - 10, SIDE - 5, SIDE + 20, SIDE + 7)))
    assert places == {
        0: Box(SIDE - 10, SIDE - 5, SIDE, SIDE),
        1: Box(0, SIDE - 5, 20, SIDE),
        6: Box(SIDE - 10, 0, SIDE, 7),
        7: Box(0, 0, 20, 7),
    }


def test_the_icon_of_a_tiled_image_is_covered_where_the_whole_was(
    written: Any, make_instance: Any, scripted_ocr: Any
) -> None:
    dark = np.full_like(written, 30)
    dark[3 * SIDE + 20 : 3 * SIDE + 60, 4 * SIDE + 10 : 4 * SIDE + 100] = 255
    dataset = _slide(make_instance, dark)
    dataset.IconImageSequence = Sequence([make_instance(np.full((64, 96), 30, np.uint8))])  # nothing is found in it
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr, workers=1).redact(dataset, None)
    icon = np.frombuffer(dataset.IconImageSequence[0].PixelData, np.uint8).reshape(64, 96)
    assert {item.rule for item in report.redactions if item.path.startswith("00880200")} == {"icon-of-redacted"}
    assert not icon[51:55, 66:76].any()
    assert np.count_nonzero(icon == 0) < 8 * 16
