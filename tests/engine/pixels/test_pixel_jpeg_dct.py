"""Lossy JPEG that stays lossy JPEG: coefficients by jpeglib, values by Pillow and GDCM."""

import importlib.util
import io
from pathlib import Path
from typing import Any

import jpeglib
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFile
from pydicom.encaps import encapsulate, generate_frames
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.frames.codecs import jpeg_dct
from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError
from healthcare_deid.engine.pixels.frames.codecs.jpeg_dct import blanked, mcu_size
from healthcare_deid.engine.pixels.frames.codecs.jpeg_huffman import Bits, Coder, NewBits
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

BOXES = [Box(50, 40, 200, 70), Box(150, 100, 213, 183), Box(0, 0, 9, 9)]


def samples() -> dict[str, Path]:
    """Return every sample file in lossy JPEG, those of pydicom-data and deid-data included."""
    specs = [importlib.util.find_spec(name) for name in ("pydicom", "data_store", "pydicom_data", "deid_data")]
    places = [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]
    paths = {path for place in places for path in place.rglob("*.dcm")}
    found: dict[str, Path] = {}
    for path in sorted(paths):
        try:
            meta = read_file_meta_info(path)
        except InvalidDicomError:
            continue
        if meta.get("TransferSyntaxUID") in (JPEGBaseline8Bit, JPEGExtended12Bit):
            found[path.name] = path
    return found


SAMPLES = samples()


def picture(rows: int = 183, columns: int = 213) -> NDArray[np.uint8]:
    y, x = np.mgrid[:rows, :columns]
    waves = (128 + 90 * np.sin(x / 23) * np.cos(y / 31), 128 + 90 * np.sin(x / 13 + y / 50), 60 + x / 6 + 0 * y)
    noise = np.random.default_rng(1).normal(0, 12, (rows, columns, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def jpeg(monkeypatch: pytest.MonkeyPatch, *, gray: bool = False, **options: Any) -> bytes:
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 24)
    stream = io.BytesIO()
    Image.fromarray(picture()[..., 0] if gray else picture()).save(stream, "JPEG", comment=b"KOWALCZYK", **options)
    return stream.getvalue()


def coefficients(stream: bytes, folder: Path) -> list[NDArray[np.int16]]:
    path = folder / "frame.jpeg"
    path.write_bytes(stream)
    read: Any = jpeglib.read_dct(str(path))
    return [part for part in (read.Y, read.Cb, read.Cr) if part is not None]


def check_coefficients(before: bytes, after: bytes, boxes: list[Box], folder: Path) -> None:
    """Every block of a touched MCU is flat and of one value, and every other one is as it was."""
    size = mcu_size(before)
    assert size is not None
    for index, (old, new) in enumerate(zip(coefficients(before, folder), coefficients(after, folder), strict=True)):
        across, down = (side // 8 if index == 0 else 1 for side in size)
        goes = np.zeros(old.shape[:2], bool)
        for box in boxes:
            rows = slice(box.top // size[1] * down, -(-box.bottom // size[1]) * down)
            goes[rows, box.left // size[0] * across : -(-box.right // size[0]) * across] = True
        assert goes.any()
        assert np.array_equal(old[~goes], new[~goes])
        gone = new[goes].reshape(-1, 64)
        assert not gone[:, 1:].any()
        assert len(set(gone[:, 0].tolist())) == 1


@pytest.mark.parametrize("quality", [25, 92, 100])
@pytest.mark.parametrize("restart", [0, 5])
@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize("kind", ["gray", "4:4:4", "4:2:2", "4:2:0"])
def test_only_the_blocks_under_boxes_change(
    kind: str, optimize: bool, restart: int, quality: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {} if kind == "gray" else {"subsampling": kind}
    given = options | {"quality": quality, "optimize": optimize, "restart_marker_blocks": restart}
    before = jpeg(monkeypatch, gray=kind == "gray", **given)
    after = blanked(before, BOXES, luma=kind != "gray", bright=False)
    check_coefficients(before, after, BOXES, tmp_path)
    shown = np.asarray(Image.open(io.BytesIO(after)).convert("RGB"))
    assert all(shown[box.top + 2 : box.bottom - 2, box.left + 2 : box.right - 2].max() == 0 for box in BOXES)
    assert len(after) <= len(before)


def with_a_scan_for_each_component(stream: bytes, interval: int) -> bytes:
    """Return a frame of one scan with its blocks in three, as no encoder at hand writes them."""
    parts = [b"\xff\xd8"]
    *tables_and_frame, (_, start, stop) = jpeg_dct._segments(stream)
    bodies = [(marker, stream[first:last]) for marker, first, last in tables_and_frame]
    frame, body = jpeg_dct._frame(dict(bodies)[0xC0]), stream[start:stop]
    parts += [jpeg_dct._segment(*segment) for segment in bodies]
    parts.append(jpeg_dct._segment(0xDD, interval.to_bytes(2, "big")))
    tables = codes_of(stream)
    ((data, _),) = jpeg_dct._intervals(stream, stop)
    bits, place = Bits(data.replace(b"\xff\0", b"\xff")), 0
    coders = [Coder(tables[used >> 4], tables[0x10 | used & 15]) for used in body[2:7:2]]
    width, height = frame.mcu
    blocks: list[dict[tuple[int, int], tuple[int, int, int]]] = [{}, {}, {}]
    means = [0, 0, 0]
    for unit in range(-(-frame.columns // width) * -(-frame.rows // height)):
        row, column = divmod(unit, -(-frame.columns // width))
        for index, one in enumerate(frame.components):
            for down, across in np.ndindex(one.down, one.across):
                difference, rest = coders[index].mean(bits, place)
                place = coders[index].end(bits, rest)
                means[index] += difference
                blocks[index][row * one.down + down, column * one.across + across] = (means[index], rest, place)
    for index, one in enumerate(frame.components):
        parts.append(jpeg_dct._segment(0xDA, bytes((1, *body[1 + 2 * index : 3 + 2 * index], 0, 63, 0))))
        rows, columns = -(-frame.rows * one.down // height), -(-frame.columns * one.across // width)
        for number in range(0, rows * columns, interval):
            new, before = NewBits(bits), 0
            for unit in range(number, min(number + interval, rows * columns)):
                mean, rest, end = blocks[index][divmod(unit, columns)]
                new.put(*coders[index].coded(mean - before))
                new.copy(rest, end)
                before = mean
            parts.append(new.data().replace(b"\xff", b"\xff\0"))
            if number + interval < rows * columns:
                parts.append(bytes((0xFF, 0xD0 + number // interval % 8)))
    return b"".join(parts) + b"\xff\xd9"


def codes_of(stream: bytes) -> dict[int, Any]:
    segments = jpeg_dct._segments(stream)
    found = [jpeg_dct._huffman(stream[start:stop]) for marker, start, stop in segments if marker == 0xC4]
    return {table: code for tables in found for table, code in tables.items()}


@pytest.mark.parametrize("interval", [7, 60_000])
@pytest.mark.parametrize("kind", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_scan_for_each_component_is_blanked_as_one_scan_is(
    kind: str, interval: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_scan = jpeg(monkeypatch, subsampling=kind, quality=80)
    three = with_a_scan_for_each_component(one_scan, interval)
    before = [np.asarray(Image.open(io.BytesIO(stream))) for stream in (one_scan, three)]
    assert np.array_equal(before[0], before[1])
    corner = Box(212, 182, 213, 183)
    after = [blanked(stream, [*BOXES[:1], corner], luma=True, bright=False) for stream in (one_scan, three)]
    shown = [np.asarray(Image.open(io.BytesIO(stream))) for stream in after]
    assert np.array_equal(shown[0], shown[1])
    assert not shown[0][-1, -1].any()
    check_coefficients(three, after[1], [*BOXES[:1], corner], tmp_path)


def test_comments_and_applications_segments_go_and_those_that_decoders_read_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = jpeg(monkeypatch, exif=b"Exif\0\0NOWAK")
    for said in (b"KOWALCZYK", b"NOWAK", b"JFIF"):
        assert said in before
    after = blanked(before + b"after the end", BOXES, luma=True, bright=False)
    assert b"JFIF" in after
    assert not any(said in after for said in (b"KOWALCZYK", b"NOWAK", b"after"))
    assert after.endswith(b"\xff\xd9")


@pytest.mark.parametrize("cut", [3, 20, 200, 400, 700, 5000])
def test_a_frame_that_ends_too_early_is_refused(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = jpeg(monkeypatch)
    with pytest.raises(NotEncodableError):
        blanked(stream[:cut], BOXES, luma=True, bright=False)


def test_broken_frames_are_refused_or_stay_decodable(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = jpeg(monkeypatch, restart_marker_blocks=7)
    random = np.random.default_rng(7)
    refused = 0
    for _ in range(60):
        broken = bytearray(stream)
        broken[int(random.integers(2, len(stream)))] = int(random.integers(0, 256))
        try:
            blanked(bytes(broken), BOXES, luma=True, bright=False)
        except NotEncodableError:
            refused += 1
    assert refused


def test_frames_of_other_processes_are_not_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    progressive = jpeg(monkeypatch, progressive=True)
    assert mcu_size(progressive) is None
    with pytest.raises(NotEncodableError):
        blanked(progressive, BOXES, luma=True, bright=False)


class InTheMiddle:
    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Box | None) -> list[TextLine]:
        del read, within
        rows, columns = picture.shape[:2]
        return [TextLine(Box(columns // 4, rows // 4, columns // 2, rows // 2))]


def decoded(dataset: pydicom.Dataset, plugin: str) -> NDArray[Any]:
    array, _ = get_decoder(dataset.file_meta.TransferSyntaxUID).as_array(dataset, decoding_plugin=plugin, raw=True)
    return array.reshape(int(dataset.get("NumberOfFrames") or 1), dataset.Rows, dataset.Columns, -1)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if path.stat().st_size > 600_000 else name
        for name, path in sorted(SAMPLES.items())
    ],
)
@pytest.mark.filterwarnings("ignore:Expected explicit VR")
def test_every_sample_stays_jpeg_and_keeps_every_other_coefficient(name: str, tmp_path: Path) -> None:
    before, dataset = pydicom.dcmread(SAMPLES[name]), pydicom.dcmread(SAMPLES[name])
    count = int(before.get("NumberOfFrames") or 1)
    streams = list(generate_frames(before.PixelData, number_of_frames=count))
    try:
        report = PixelRedactor(PixelPlan(Scope.EVERYTHING), ocr=InTheMiddle(), workers=1).redact(dataset, None)
    except UnsupportedPixelsError:
        assert before.BitsStored > 8  # decoded with the extra only
        return
    if mcu_size(streams[0]) is None:
        assert any("uncompressed" in warning for warning in report.warnings)
        return
    assert dataset.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert dataset.get("LossyImageCompression") == before.get("LossyImageCompression")
    assert dataset.PhotometricInterpretation == before.PhotometricInterpretation
    keep = np.ones((count, before.Rows, before.Columns), bool)
    boxes: dict[int, list[Box]] = {}
    for one in report.redactions:
        boxes.setdefault(one.frame, []).append(Box(one.x, one.y, one.x + one.width, one.y + one.height))
        rows = slice(max(0, one.y - 2), one.y + one.height + 2)
        keep[one.frame, rows, max(0, one.x - 2) : one.x + one.width + 2] = False
    written = list(generate_frames(dataset.PixelData, number_of_frames=count))
    for frame, (old, new) in enumerate(zip(streams, written, strict=True)):
        check_coefficients(old, new, boxes[frame], tmp_path)
    for plugin in ("pillow", "gdcm"):
        if before.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
            assert np.array_equal(decoded(dataset, plugin)[keep], decoded(before, plugin)[keep])


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 8


def test_inverted_gray_is_covered_with_white_and_frames_without_text_keep_their_bytes(
    make_instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = jpeg(monkeypatch, gray=True)
    plain = io.BytesIO()
    Image.new("L", (213, 183), 77).save(plain, "JPEG")

    class OnTheFirst(InTheMiddle):
        def find(self, picture: NDArray[np.uint8], *, read: bool, within: Box | None) -> list[TextLine]:
            return super().find(picture, read=read, within=within) if picture.std() > 1 else []

    dataset = make_instance(picture()[..., 0])
    dataset.PhotometricInterpretation, dataset.NumberOfFrames = "MONOCHROME1", 2
    dataset.PixelData = encapsulate([stream, plain.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    report = PixelRedactor(PixelPlan(Scope.EVERYTHING), ocr=OnTheFirst(), workers=1).redact(dataset, None)
    (box,) = report.redactions
    first, second = generate_frames(dataset.PixelData, number_of_frames=2)
    shown = np.asarray(Image.open(io.BytesIO(first)))
    assert shown[box.y : box.y + box.height, box.x : box.x + box.width].min() == 255
    assert second[: len(plain.getvalue())] == plain.getvalue()
