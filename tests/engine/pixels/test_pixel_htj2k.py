"""HTJ2K stays HTJ2K where its encoder is installed."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import HTJ2K, UID, ExplicitVRLittleEndian, HTJ2KLossless, HTJ2KLosslessRPCL

from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError, encode
from healthcare_deid.engine.pixels.frames.layout import PixelLayout
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Picture

imagecodecs: Any = pytest.importorskip("imagecodecs", reason="the extra codecs is not installed")

ALL_TEXT = PixelPlan(Scope.EVERYTHING)
PLACE, COVERED = Box(20, 8, 50, 16), (slice(7, 17), slice(19, 51))


class InTheSecondFrame:
    """Finds one line where a picture's corner is bright."""

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        del read, within
        return [TextLine(PLACE)] if (picture[:4, :4].max(axis=2) > 200).all() else []


def _frames(bits: int, *, signed: bool, colour: bool) -> Any:
    lowest = -(1 << (bits - 1)) if signed else 0
    shape = (2, 64, 80, 3) if colour else (2, 64, 80)
    kind = f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}"
    data = np.random.default_rng(bits).integers(lowest, lowest + (1 << bits) // 2, shape).astype(kind)
    data[:, -1, -1] = lowest + (1 << bits) - 1
    data[1, :4, :4] = lowest + (1 << bits) - 1
    return data


def _compressed(make_instance: Any, data: Any, bits: int, syntax: UID, photometric: str) -> Dataset:
    colour = data.ndim == 4
    dataset: Dataset = make_instance(data, colour=colour, bits_stored=bits, photometric=photometric)
    streams = [imagecodecs.htj2k_encode(frame, reversible=True, rgb=photometric == "YBR_RCT") for frame in data]
    dataset["PixelData"] = DataElement("PixelData", "OB", encapsulate(streams))
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def _redacted(dataset: Dataset) -> tuple[Dataset, Any]:
    report = PixelRedactor(ALL_TEXT, ocr=InTheSecondFrame(), workers=1).redact(dataset, None)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return pydicom.dcmread(stream), report


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K], ids=lambda uid: uid.keyword)
@pytest.mark.parametrize(
    ("bits", "signed", "photometric"),
    [
        (8, False, "MONOCHROME2"),
        (10, False, "MONOCHROME2"),
        (12, False, "MONOCHROME2"),
        (16, False, "MONOCHROME2"),
        (8, True, "MONOCHROME2"),
        (12, True, "MONOCHROME2"),
        (16, True, "MONOCHROME2"),
        (8, False, "RGB"),
        (8, False, "YBR_RCT"),
        (16, False, "YBR_RCT"),
        (8, False, "YBR_FULL"),
    ],
)
def test_the_syntax_stays_and_every_other_value_too(
    bits: int, signed: bool, photometric: str, syntax: UID, make_instance: Any
) -> None:
    colour = photometric != "MONOCHROME2"
    data = _frames(bits, signed=signed, colour=colour)
    dataset = _compressed(make_instance, data, bits, syntax, photometric)
    before = list(generate_frames(dataset.PixelData, number_of_frames=2))
    again, report = _redacted(dataset)
    assert (again.file_meta.TransferSyntaxUID, again.PhotometricInterpretation) == (syntax, photometric)
    assert report.warnings == ()
    after = list(generate_frames(again.PixelData, number_of_frames=2))
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False]
    for decoded in (pixel_array(again, raw=True), _by_another_decoder(after, data)):
        mask = np.ones(data.shape[:3], bool)
        mask[1][COVERED] = False
        assert np.array_equal(decoded[mask], data[mask])
        assert len(np.unique(decoded[~mask].reshape(np.count_nonzero(~mask), -1), axis=0)) == 1


def _by_another_decoder(streams: list[bytes], data: Any) -> Any:
    """Decode by OpenJPH, which gives colours that were not transformed plane by plane."""
    frames = [imagecodecs.htj2k_decode(stream.rstrip(b"\0")) for stream in streams]
    planar = frames[0].shape != data.shape[1:]
    return np.stack([np.moveaxis(frame, 0, -1) if planar else frame for frame in frames])


@pytest.mark.parametrize(("rows", "columns"), [(16, 16), (600, 800), (48, 5000)])
def test_a_codestream_is_what_the_rpcl_syntax_asks_for(rows: int, columns: int) -> None:
    layout = PixelLayout(rows=rows, columns=columns)
    try:
        stream = encode(np.zeros((rows, columns), np.uint8), HTJ2KLosslessRPCL, layout)
    except NotEncodableError:  # an encoder that goes no deeper than the shorter side
        assert (rows, columns) == (48, 5000)
        return
    header = stream[: stream.index(b"\xff\x90")]
    coding = header.index(b"\xff\x52")
    progression, levels, reversible = header[coding + 5], header[coding + 9], header[coding + 13]
    assert (progression, reversible) == (2, 1)  # RPCL, the 5-3 filter
    assert max(rows, columns) <= 64 << levels
    assert b"\xff\x55" in header  # TLM


def test_without_the_encoder_the_values_are_written_uncompressed_and_the_remedy_is_named(
    make_instance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setattr("healthcare_deid.engine.pixels.frames.codecs.decoders._EXTRA_PACKAGE", "a_package_nobody_has")
    data = _frames(8, signed=False, colour=False)
    again, report = _redacted(_compressed(make_instance, data, 8, HTJ2KLossless, "MONOCHROME2"))
    assert again.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert any("healthcare-deid[codecs]" in warning for warning in report.warnings)
    assert np.array_equal(again.pixel_array[0], data[0])
