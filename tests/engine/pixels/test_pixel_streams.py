"""Large pixel data passes through: what is measured is memory, not time."""

from __future__ import annotations

import gc
import io
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.dicom.long_values import BytesStorage, StreamStorage, storage_of
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES
from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.pixels.cover import element
from healthcare_deid.engine.pixels.frames.value_pieces import NewValue
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
FRAMES, ROWS, COLUMNS = 160, 256, 384
PART = 0.35
"""Peak of what is allocated, as a part of the pixel data; a copy of it in memory would be 1."""


@pytest.fixture
def large(make_instance: Any, tmp_path: Path) -> Callable[..., Path]:
    """Write a file with many frames of noise, text in each; compressed, all frames share a few codestreams."""

    def make(syntax: Any = None, frames: int = FRAMES) -> Path:
        noise = np.random.default_rng(2)
        few = noise.integers(0, 150, (4, ROWS, COLUMNS)).astype(np.uint8)
        few[:, 20:40, 30:200] = 255
        dataset: Dataset = make_instance(few)
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
        dataset.NumberOfFrames = frames
        if syntax is None:
            dataset.PixelData = few.tobytes() * (frames // 4)
        else:
            dataset.NumberOfFrames = 4
            dataset.compress(syntax, encoding_plugin="")
            streams = list(generate_frames(dataset.PixelData, number_of_frames=4))
            dataset.NumberOfFrames = frames
            dataset.PixelData = encapsulate([streams[index % 4] for index in range(frames)])
            dataset["PixelData"].is_undefined_length = True
        dataset.save_as(tmp_path / "large.dcm", enforce_file_format=True)
        return tmp_path / "large.dcm"

    return make


@pytest.mark.parametrize("syntax", [None, RLELossless], ids=["native", "RLE"])
def test_a_file_is_redacted_in_a_part_of_the_memory_its_pixels_take(
    syntax: Any, large: Callable[..., Path], scripted_ocr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(element, "KEPT", 1 << 20)  # as small for this file as it is for one of a gigabyte
    source = large(syntax)
    engine = Deidentifier(presets.remove_metadata_and_all_text(), ocr=scripted_ocr)
    gc.collect()
    tracemalloc.start()
    try:
        result = engine.deidentify_file(source, tmp_path / "out" / "clean.dcm")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PART * source.stat().st_size
    before, after = pydicom.dcmread(source), result.dataset
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert {item.frame for item in result.redactions} == set(range(FRAMES))
    mask = np.zeros((ROWS, COLUMNS), bool)
    for item in (item for item in result.redactions if item.frame == 0):
        mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
    for old, new in zip(before.pixel_array, after.pixel_array, strict=True):
        assert np.array_equal(new[~mask], old[~mask])
        assert not new[mask].any()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clean.dcm"]


@pytest.mark.parametrize(
    "syntax", [None, RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid and uid.keyword
)
def test_a_file_and_its_dataset_in_memory_give_the_same_pixel_data_whatever_the_threads(
    syntax: Any, large: Callable[..., Path], scripted_ocr: Any
) -> None:
    source = large(syntax, frames=12)
    results: list[bytes] = []
    for streamed, workers in ((False, 1), (True, 1), (True, 3)):
        dataset = pydicom.dcmread(source)
        value = io.BytesIO(dataset.PixelData)
        if streamed:
            dataset["PixelData"].value = value
        PixelRedactor(ALL_TEXT, ocr=scripted_ocr, workers=workers).redact(dataset, None)
        made: Any = dataset["PixelData"].value
        assert isinstance(made, io.BufferedIOBase) is streamed
        results.append(made.read() if streamed else made)
    assert results[0] == results[1] == results[2]


def test_fragments_after_the_last_frame_are_removed_for_nobody_looks_at_them(
    make_instance: Any, scripted_ocr: Any
) -> None:
    frames = np.full((3, 16, 16), 30, np.uint8)
    frames[2, 4:8, 4:8] = 255
    dataset = make_instance(frames)
    dataset.compress(RLELossless)
    dataset.NumberOfFrames = 2
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert [change.rule for change in report.changes] == ["after-last-frame"]
    assert len(report.warnings) == 1
    assert np.array_equal(dataset.pixel_array, frames[:2])


def test_text_after_the_last_native_frame_is_removed(make_instance: Any, scripted_ocr: Any) -> None:
    frames = np.full((2, 16, 16), 30, np.uint8)
    dataset = make_instance(frames)
    dataset.PixelData += b"\0KOWALCZYK MARIA"[:14]
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert [change.rule for change in report.changes] == ["after-last-frame"]
    assert len(report.warnings) == 1
    assert dataset.PixelData == frames.tobytes()


def test_padding_after_the_last_frame_is_left(make_instance: Any, scripted_ocr: Any) -> None:
    dataset = make_instance(np.full((16, 16), 30, np.uint8))
    dataset.PixelData = value = dataset.PixelData + bytes(32)
    assert PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None).changes == ()
    assert dataset.PixelData == value


def test_what_gets_too_long_for_an_element_when_it_is_uncompressed_is_an_error(
    make_instance: Any, scripted_ocr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.full((2, 16, 16), 30, np.uint8)
    frames[1, 4:8, 4:8] = 255
    dataset = make_instance(frames)
    dataset.compress(RLELossless)
    monkeypatch.setitem(TRANSFER_SYNTAXES, RLELossless, replace(TRANSFER_SYNTAXES[RLELossless], encoder=""))
    monkeypatch.setattr(element, "LONGEST_VALUE", 511)
    with pytest.raises(UnsupportedPixelsError, match="4 GB"):
        PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)


def test_a_stream_can_be_read_in_stretches_from_anywhere() -> None:
    storage = storage_of(io.BytesIO(b"0123456789"))
    assert isinstance(storage, StreamStorage)
    assert len(storage) == 10
    assert (storage.read_at(3, 6), storage.read_at(8, 99), storage.read_at(12, 14)) == (b"345", b"89", b"")


def test_what_is_no_value_of_bytes_is_an_error() -> None:
    with pytest.raises(UnsupportedPixelsError):
        storage_of("text")


@pytest.mark.parametrize("old", [BytesStorage(b""), StreamStorage(io.BytesIO())], ids=["memory", "file"])
def test_a_new_value_is_made_piece_by_piece_where_the_old_one_was(old: Any, tmp_path: Path) -> None:
    made = NewValue(old, tmp_path)
    made.append(b"01234")
    made.append_all(BytesStorage(b"56789"), 4)
    made.write_at(2, b"xx")
    assert (len(made), made.read_at(1, 4)) == (9, b"1xx")
    value: Any = made.value(3)
    assert (value if isinstance(value, bytes) else value.read()) == b"x45678"
    assert list(tmp_path.iterdir()) == []  # a file without a name, which goes with the process
