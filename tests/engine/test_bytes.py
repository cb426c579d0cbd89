"""Bytes in, bytes out: the same as files, and nothing of an instance touches the disk."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from healthcare_deid import presets
from healthcare_deid.engine import BytesResult, Deidentifier, Failure
from healthcare_deid.engine.pixels.find import models
from healthcare_deid.errors import ConfigError, InvalidDicomError, ModelNotFoundError
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
FORMS: dict[str, Callable[[Any], bytes]] = {
    "explicit": lambda planted: planted.file(),
    "implicit": lambda planted: planted.file(ImplicitVRLittleEndian),
    "big endian": lambda planted: planted.file(ExplicitVRBigEndian),
    "deflated": lambda planted: planted.file(DeflatedExplicitVRLittleEndian),
    "bytes after the end": lambda planted: planted.file() + b"left over" * 20,
    "no preamble": lambda planted: planted.file()[132 + 12 + int.from_bytes(planted.file()[140:144], "little") :],
    "compressed": lambda _: (SAMPLES / "JPEG2000.dcm").read_bytes(),
    "directory": lambda _: (SAMPLES / "dicomdirtests" / "DICOMDIR").read_bytes(),
}


def large_with_text(syntax: str | None = None) -> bytes:
    """Return an instance with text in each of many frames: its pixel data is one that stays in its file."""
    sample = sample_dicom()[0]
    pixels = np.asarray(sample.dataset.pixel_array)
    frames = -(-(1 << 20) // pixels.nbytes) + 1
    dataset = pydicom.dcmread(io.BytesIO(encoded(sample.dataset)))
    dataset.NumberOfFrames = frames
    dataset.PixelData = pixels.tobytes() * frames
    if syntax is not None:
        dataset.compress(syntax, encoding_plugin="")
    return encoded(dataset)


def encoded(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_the_result_is_that_of_the_file(profile: Any, planted: Any, write: Any, tmp_path: Path, form: str) -> None:
    data, basic = FORMS[form](planted), profile(BASIC)
    of_file = basic.deidentify_file(write(data), tmp_path / "out.dcm")

    result = basic.deidentify_bytes(data)

    assert result.data == (tmp_path / "out.dcm").read_bytes()
    assert result.name == basic.result_name(tmp_path / "in.dcm")
    assert (result.redactions, result.warnings) == (of_file.redactions, of_file.warnings)


@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_large_pixel_data_is_covered_in_memory_without_a_temporary_file(
    write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: str | None
) -> None:
    deidentifier, data = Deidentifier(presets.remove_metadata_and_all_text()), large_with_text(syntax)
    deidentifier.deidentify_file(write(data), tmp_path / "out.dcm")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is none"))

    result = deidentifier.deidentify_bytes(data)

    assert result.redactions
    assert result.data == (tmp_path / "out.dcm").read_bytes()


def test_name_and_record_are_those_of_a_run_over_a_folder(profile: Any, planted: Any, tmp_path: Path) -> None:
    basic = profile(BASIC)
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.dcm").write_bytes(planted.file())
    basic.deidentify_tree(tmp_path / "scans", tmp_path / "clean", record=tmp_path / "record.jsonl")

    result = basic.deidentify_bytes(planted.file())

    assert (tmp_path / "clean" / result.name).read_bytes() == result.data
    assert (tmp_path / "record.jsonl").read_text().splitlines()[1:] == [result.record]
    assert json.loads(result.record)["result"] == result.name


def test_a_directory_has_no_name_and_no_record_because_a_run_leaves_it_out(profile: Any) -> None:
    result = profile(BASIC).deidentify_bytes(FORMS["directory"](None))

    assert (result.name, result.record) == (None, "")


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_of_any_kind_and_binary_files_are_taken(profile: Any, planted: Any, form: Any) -> None:
    basic, data = profile(BASIC), planted.file()

    assert basic.deidentify_bytes(form(data)).data == basic.deidentify_bytes(data).data


def test_a_view_of_every_second_byte_is_read_as_what_it_shows(profile: Any, planted: Any) -> None:
    basic, data = profile(BASIC), planted.file()
    spread = bytearray(2 * len(data))
    spread[::2] = data

    assert basic.deidentify_bytes(memoryview(spread)[::2]).data == basic.deidentify_bytes(data).data


def test_an_open_file_is_read_from_where_it_stands(profile: Any, planted: Any, write: Any) -> None:
    basic, data = profile(BASIC), planted.file()
    with write(b"something else" + data).open("rb") as file:
        file.seek(len(b"something else"))

        assert basic.deidentify_bytes(file).data == basic.deidentify_bytes(data).data


@pytest.mark.parametrize("given", ["a/path.dcm", Path("a/path.dcm"), None, 7, io.StringIO("text"), pydicom.Dataset()])
def test_anything_else_is_a_type_error_however_errors_are_wanted(profile: Any, given: Any) -> None:
    for errors in ("raise", "return"):
        with pytest.raises(TypeError, match="deidentify_bytes takes bytes or a binary file"):
            profile(BASIC).deidentify_bytes(given, errors=errors)


def test_a_failure_is_raised_or_returned(profile: Any, planted: Any) -> None:
    basic, cut = profile(BASIC), planted.file()[:1500]
    with pytest.raises(InvalidDicomError) as caught:
        basic.deidentify_bytes(cut)

    failure = basic.deidentify_bytes(cut, errors="return")

    assert failure == Failure("", caught.value.reason, str(caught.value))
    assert failure.reason == "truncated"
    with pytest.raises(ValueError, match="errors"):
        basic.deidentify_bytes(cut, errors="ignore")


def test_what_is_cut_off_anywhere_fails_or_comes_out_clean(profile: Any, planted: Any) -> None:
    whole, basic = planted.file(), profile(BASIC)
    outcomes = [basic.deidentify_bytes(whole[:end], errors="return") for end in range(0, len(whole), 11)]

    came_out = [outcome for outcome in outcomes if isinstance(outcome, BytesResult)]
    assert len(came_out) < len(outcomes) / 3
    assert [planted.found_in(outcome.data) for outcome in came_out] == [[]] * len(came_out)


def test_a_file_that_cannot_be_read_is_a_failure(profile: Any) -> None:
    class Gone(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, os.strerror(5), "SMITH.dcm")

    failure = profile(BASIC).deidentify_bytes(Gone(), errors="return")

    assert (failure.reason, failure.text) == ("io-error", f"OSError: {os.strerror(5)}")


def test_a_result_travels_between_processes_and_shows_nothing(profile: Any, planted: Any) -> None:
    result = profile(BASIC).deidentify_bytes(planted.file())

    copy = pickle.loads(pickle.dumps(result))

    assert (copy.data, copy.name, copy.record, copy.redactions, copy.warnings) == (
        result.data,
        result.name,
        result.record,
        result.redactions,
        result.warnings,
    )
    assert repr(copy) == f"BytesResult(bytes={len(result.data)}, redactions=0, warnings={len(result.warnings)})"


def test_the_bytes_given_are_not_changed(profile: Any, planted: Any) -> None:
    data = bytearray(planted.file())
    before = bytes(data)

    profile("KEEP_ALL_PROFILE").deidentify_bytes(data)

    assert data == before


WARM = """
import sys
import onnxruntime
from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier

data = sys.stdin.buffer.read()
deidentifier = Deidentifier(presets.transform_contents_and_sensitive_text(crypto_key=presets.generate_crypto_key()))
deidentifier.warm()
onnxruntime.InferenceSession = None
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
redactions = deidentifier.deidentify_bytes(data).redactions
assert redactions
assert not opened, opened
"""


def test_once_warm_no_file_is_opened_any_more() -> None:
    data = encoded(sample_dicom()[0].dataset)

    done = subprocess.run([sys.executable, "-c", WARM], input=data, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()


def test_without_a_model_warming_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGES", ())

    with pytest.raises(ModelNotFoundError):
        Deidentifier(presets.remove_metadata_and_all_text()).warm()


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_as_were_given_look_at_frames(threads: int) -> None:
    class Watcher:
        def __init__(self) -> None:
            self.seen: set[str] = set()

        def find(self, picture: Any, *, read: bool, within: Any = None) -> list[Any]:
            self.seen.add(threading.current_thread().name)
            time.sleep(0.005)
            return []

    ocr = Watcher()
    deidentifier = Deidentifier(presets.remove_metadata_and_all_text(), ocr=ocr, threads=threads)
    dataset = pydicom.dcmread(io.BytesIO(large_with_text()))
    # Noise: frames that are alike are looked at once.
    dataset.PixelData = np.random.default_rng(1).bytes(len(dataset.PixelData))

    deidentifier.deidentify_bytes(encoded(dataset))

    assert len(ocr.seen) == threads


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_are_a_number_of_at_least_one(profile: Any, threads: Any) -> None:
    with pytest.raises(ConfigError, match="threads"):
        profile(BASIC, threads=threads)
