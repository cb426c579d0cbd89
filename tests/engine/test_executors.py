"""Two executors, one plan: the same bytes come out of both, for every sample file and for made-up datasets."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.pixels.utils import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Change, Deidentifier
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.encoding import holds_items
from healthcare_deid.engine.dicom.sinks import FileSink
from healthcare_deid.engine.dicom.sources import opened_source
from healthcare_deid.engine.header.fast.encoded_executor import EncodedExecutor
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CONFIGS: dict[str, dict[str, Any]] = {
    "minimal": {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}},
    "keep all": {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}},
    "basic": {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}},
    "remove": {
        "dicom": {"removeList": {"tags": ["PatientName", "00091001", "ReferencedSOPInstanceUID", "OverlayRows"]}}
    },
    "contents": {
        "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
        "text": {
            "additionalTransformations": [
                {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {"cryptoKey": KEY}},
                {"redactConfig": {}},
            ]
        },
    },
}
NAMES = [*CONFIGS, "action on a VR"]
PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def made(name: str) -> Deidentifier:
    """Return a new engine, which has seen nothing."""
    if name in CONFIGS:
        return Deidentifier(DeidentifyConfig.from_api(CONFIGS[name]))
    # Single private elements stay here, and private creators only with them.
    builder = v1beta1.DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")
    config = builder.clean_tags("DA", "DT").shift_dates("DATE", crypto_key=KEY).build()
    return Deidentifier(config, safe_private=["SIEMENS MR HEADER,0019,0C"])


MADE = {name: made(name) for name in NAMES}


def by_bytes(deidentifier: Deidentifier, source: Path, target: Path) -> Any:
    """Take the bytes' way, whatever `deidentify_file` would choose."""
    with opened_source(source) as file:
        return deidentifier.instances.rewrite(file, FileSink(target))


def by_dataset(deidentifier: Deidentifier, source: Path, target: Path) -> Any:
    """Take pydicom's way."""
    result = deidentifier.deidentify(files.read(source)[0])
    files.write(result.dataset, target)
    return result


def outcome(way: Callable[..., Any], deidentifier: Deidentifier, source: Path, target: Path) -> Any:
    try:
        return way(deidentifier, source, target)
    except EngineError as error:
        return error.reason


def without_lengths(changes: tuple[Change, ...]) -> list[tuple[str, str, str, str]]:
    """Return a record without what pydicom forgets: sequences' lengths, and that a private one without items is one."""
    return sorted((change.path, change.vr if change.keyword else "", change.action, change.rule) for change in changes)


def same_elements(first: Path, second: Path) -> bool:
    """Compare as read: for files whose VRs are UN, which pydicom writes as what it knows them to be."""
    one, other = (pydicom.dcmread(path) for path in (first, second))
    return one == other and one.file_meta == other.file_meta


def _sample_files() -> list[Path]:
    folders = [PYDICOM_FILES]
    for package in ("data_store", "deid_data"):
        try:
            module = __import__(package)
        except ImportError:
            continue
        folders += [Path(path) for path in module.__path__]
    found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if path.suffix not in (".py", ".pyc") and path.stat().st_size < 8_000_000]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", MADE)
def test_every_sample_file_gives_the_same_bytes_both_ways(name: str, tmp_path: Path) -> None:
    deidentifier, one, other = MADE[name], tmp_path / "bytes.dcm", tmp_path / "dataset.dcm"
    compared, differing = 0, list[str]()
    for path in _sample_files():
        first = outcome(by_bytes, deidentifier, path, one)
        if first is None:
            continue
        second = outcome(by_dataset, deidentifier, path, other)
        if isinstance(first, str) or isinstance(second, str):
            if type(first) is not type(second):
                differing.append(f"{path.name}: {first} / {second}")
            continue
        if any("random" in warning for warning in first.warnings):
            continue
        compared += 1
        if one.read_bytes() != other.read_bytes() and not same_elements(one, other):
            differing.append(path.name)
        elif without_lengths(first.changes) != without_lengths(second.changes) or first.kept != second.kept:
            differing.append(f"{path.name}: the records differ")
        elif first.creators != second.creators:
            differing.append(f"{path.name}: the private creators differ")
        elif first.kept_tags != second.kept_tags:
            differing.append(f"{path.name}: {set(first.kept_tags) ^ set(second.kept_tags)} kept or not")

    assert differing == []
    assert compared > 130


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=16)
UIDS = st.integers(1, 10**9).map(lambda number: f"1.2.3.{number}")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "LO": TEXTS,
    "SH": TEXTS,
    "PN": st.sampled_from(["", "Rivera^Ana", "Okafor^Daniel=X"]),
    "DA": st.dates().map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}"),
    "UI": UIDS,
    "US": st.integers(0, 65535),
    "OB": st.binary(max_size=8).map(lambda data: data + b"\0" * (len(data) % 2)),
    "UN": st.binary(max_size=8).map(lambda data: data + b"\0" * (len(data) % 2)),
    "UT": TEXTS,
}
TAGS = {
    "LO": [0x00081030, 0x0008103E, 0x00100020, 0x00091001],
    "SH": [0x00080050, 0x00200010],
    "PN": [0x00100010, 0x00080090],
    "DA": [0x00080020, 0x00100030, 0x00080023],
    "UI": [0x0020000D, 0x0020000E, 0x00080018, 0x00200052, 0x00081155, 0x00080016, 0x00091002],
    "US": [0x00280010, 0x00280011],
    "OB": [0x00420011, 0x00091003],
    "UN": [0x00091004],
    "UT": [0x0040A160],
}
SEQUENCES = [0x00081140, 0x00400275, 0x0040A730, 0x00101002, 0x00091005]


@st.composite
def datasets(draw: st.DrawFn, depth: int = 3) -> Dataset:
    """Datasets of the elements that rules differ for, private and nested ones included."""
    dataset = Dataset()
    for vr in draw(st.lists(st.sampled_from(sorted(TAGS)), max_size=8)):
        tag = draw(st.sampled_from(TAGS[vr]))
        dataset[tag] = DataElement(tag, vr, draw(VALUES[vr]))
    if depth:
        for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2)):
            items = draw(st.lists(datasets(depth - 1), max_size=2))
            for item in items:
                item.is_undefined_length_sequence_item = draw(st.booleans())
            element = DataElement(tag, "SQ", Sequence(items))
            element.is_undefined_length = draw(st.booleans())
            dataset[tag] = element
    if any(element.tag.is_private for element in dataset):
        dataset[0x00090010] = DataElement(0x00090010, "LO", "ACME 1.1")
    return dataset


def written(dataset: Dataset, syntax: str, path: Path) -> None:
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or "1.2.3.4"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("name", MADE)
@given(dataset=datasets())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_dataset_gives_the_same_bytes_both_ways(name: str, syntax: str, dataset: Dataset, tmp_path: Path) -> None:
    source, one, other = tmp_path / "in.dcm", tmp_path / "bytes.dcm", tmp_path / "dataset.dcm"
    written(dataset, syntax, source)

    first = by_bytes(MADE[name], source, one)
    second = by_dataset(MADE[name], source, other)

    assert one.read_bytes() == other.read_bytes()
    assert without_lengths(first.changes) == without_lengths(second.changes)
    assert (first.kept, first.kept_tags, first.creators) == (second.kept, second.kept_tags, second.creators)


def test_untouched_elements_are_the_same_bytes(planted: Any, write: Any, tmp_path: Path) -> None:
    keep_all = MADE["keep all"]
    keep_all.deidentify_file(write(planted.file()), tmp_path / "out.dcm")

    old, new = (pydicom.dcmread(path) for path in (tmp_path / "in.dcm", tmp_path / "out.dcm"))
    changed = {change.path for change in keep_all.deidentify(old).changes}
    for tag in list(old.keys()):
        old_element, new_element = old.get_item(tag), new.get_item(tag)
        if not any(path.startswith(f"{int(tag):08X}") for path in changed):
            assert getattr(new_element, "value", None) == getattr(old_element, "value", None)
    assert list(new.keys()) == sorted(new.keys())


def test_pixel_data_larger_than_the_window_never_comes_into_memory(
    planted: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.dataset.Rows, planted.dataset.Columns = 2000, 2000
    planted.dataset.PixelData = os.urandom(8_000_000)
    source = write(planted.file())
    largest = 0
    read = os.pread

    def watched(descriptor: int, count: int, offset: int) -> bytes:
        nonlocal largest
        largest = max(largest, count)
        return read(descriptor, count, offset)

    monkeypatch.setattr(os, "pread", watched)
    MADE["basic"].deidentify_file(source, tmp_path / "out.dcm")

    assert largest <= 1 << 18
    assert pydicom.dcmread(tmp_path / "out.dcm").PixelData == planted.dataset.PixelData


def test_elements_after_encapsulated_pixel_data_are_found(write: Any, planted: Any, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(PYDICOM_FILES / "JPEG2000.dcm")
    dataset.add_new(0xFFFCFFFC, "OB", b"ZQX trailing")
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    source = write(buffer.getvalue())

    MADE["minimal"].deidentify_file(source, tmp_path / "out.dcm")

    assert b"ZQX" not in (tmp_path / "out.dcm").read_bytes()
    new = pydicom.dcmread(tmp_path / "out.dcm")
    assert np.array_equal(pixel_array(new, raw=True), pixel_array(dataset, raw=True))


def test_markers_come_out_in_tag_order_both_ways(tmp_path: Path) -> None:
    by_bytes(MADE["minimal"], PYDICOM_FILES / "CT_small.dcm", tmp_path / "out.dcm")

    tags = [int(element.tag) for element in pydicom.dcmread(tmp_path / "out.dcm")]
    assert tags == sorted(tags)
    assert {0x00120062, 0x00120063} <= set(tags)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_second_file_of_a_series_is_mostly_passed_without_working_elements_out(
    name: str, planted: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out = 0
    element = EncodedExecutor._element

    def counted(*arguments: Any) -> Any:
        nonlocal worked_out
        worked_out += 1
        return element(*arguments)

    monkeypatch.setattr(EncodedExecutor, "_element", counted)
    by_bytes(MADE[name], PYDICOM_FILES / "CT_small.dcm", tmp_path / "first.dcm")
    worked_out = 0
    result = by_bytes(MADE[name], PYDICOM_FILES / "CT_small.dcm", tmp_path / "second.dcm")

    assert worked_out < (result.kept + len(result.changes)) / 8
    assert (tmp_path / "second.dcm").read_bytes() == (tmp_path / "first.dcm").read_bytes()


def _series(folder: Path, syntax: str = ExplicitVRLittleEndian) -> list[Path]:
    """Instances of two series that differ as instances do, taken in turn; one has an element that others have not."""
    paths: list[Path] = []
    for number in range(12):
        dataset = pydicom.dcmread(PYDICOM_FILES / "CT_small.dcm")
        dataset.SOPInstanceUID = UID(f"1.2.3.4.{number}")
        dataset.InstanceNumber, dataset.ContentTime = number, f"1015{number:02}"
        dataset.FrameOfReferenceUID = UID("1.2.3.4.0")  # the first instance's own UID, and none of the others'
        if number // 4 == 1:
            dataset.SeriesInstanceUID, dataset.SeriesDescription = UID("1.2.3.5"), "ZQX other"
            dataset.PatientName = "Okafor^Daniel"
        if number == 9:
            dataset.ImageComments = "ZQX comment"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        paths.append(folder / f"{number}.dcm")
        dataset.save_as(paths[-1], implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return paths


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("name", MADE)
def test_what_an_engine_has_seen_changes_no_result(name: str, syntax: str, tmp_path: Path) -> None:
    seasoned = made(name)
    one, other = tmp_path / "seasoned.dcm", tmp_path / "fresh.dcm"

    for path in _series(tmp_path, syntax) * 2:
        fresh = made(name)
        first, second = by_bytes(seasoned, path, one), by_bytes(fresh, path, other)

        assert one.read_bytes() == other.read_bytes()
        assert sorted(map(str, first.changes)) == sorted(map(str, second.changes))
        assert (first.kept, set(first.warnings)) == (second.kept, set(second.warnings))
        assert first.kept_tags == second.kept_tags


def test_what_a_private_creator_decides_is_decided_anew_under_another_one(tmp_path: Path) -> None:
    basic = DeidentifyConfig.from_api(CONFIGS["basic"])
    engine = Deidentifier(basic, safe_private=["GOOD,0009,10"])
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    for creator in ("GOOD", "GOOD", "EVIL", "GOOD", "EVIL", "EVIL"):
        dataset, item = Dataset(), Dataset()
        item.CodeMeaning = "ZQX private"
        dataset.add_new(0x00090010, "LO", creator)
        dataset.add_new(0x00091010, "SQ", Sequence([item]))
        dataset.Modality, dataset.Manufacturer = "CT", "ACME"
        written(dataset, ExplicitVRLittleEndian, source)
        by_bytes(engine, source, target)

        assert (b"ZQX private" in target.read_bytes()) == (creator == "GOOD")


@given(drawn=st.lists(datasets(1), min_size=2, max_size=4), order=st.lists(st.integers(0, 3), max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["contents", "basic", "keep all"])
def test_no_order_of_files_changes_a_result(name: str, drawn: list[Dataset], order: list[int], tmp_path: Path) -> None:
    seasoned = made(name)
    source, one = tmp_path / "in.dcm", tmp_path / "out.dcm"
    alone: dict[int, tuple[bytes, list[str], int]] = {}
    for index in (*range(len(drawn)), *(index % len(drawn) for index in order)):
        drawn[index].InstanceNumber = index
        written(drawn[index], ExplicitVRLittleEndian, source)
        if index not in alone:
            result = by_bytes(made(name), source, one)
            alone[index] = one.read_bytes(), sorted(map(str, result.changes)), result.kept
        result = by_bytes(seasoned, source, one)

        assert (one.read_bytes(), sorted(map(str, result.changes)), result.kept) == alone[index]


@pytest.mark.parametrize("name", ["basic", "keep all"])
def test_threads_may_share_an_engine(name: str, tmp_path: Path) -> None:
    shared = made(name)
    paths = _series(tmp_path)

    def work(number: int) -> bytes:
        target = tmp_path / f"out{number}.dcm"
        shared.deidentify_file(paths[number % len(paths)], target)
        return target.read_bytes()

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(work, range(8 * len(paths))))

    for number, path in enumerate(paths):
        by_bytes(made(name), path, tmp_path / "alone.dcm")
        assert set(results[number :: len(paths)]) == {(tmp_path / "alone.dcm").read_bytes()}


@pytest.mark.parametrize("name", CONFIGS)
def test_in_a_series_what_comes_again_is_passed_at_once(name: str, tmp_path: Path) -> None:
    engine = made(name)
    paths = _series(tmp_path)[:4]
    for path in paths:
        by_bytes(engine, path, tmp_path / "out.dcm")
    looked_up = 0

    class Counting(dict[bytes, Any]):
        def get(self, key: bytes, default: Any = None) -> Any:
            nonlocal looked_up
            looked_up += 1
            return super().get(key, default)

    for table in engine.instances._tables._tables.values():
        table.steps = Counting(table.steps)
    result = by_bytes(engine, paths[0], tmp_path / "out.dcm")

    assert 0 < looked_up < (result.kept + len(result.changes)) / 6


def test_the_record_is_not_written_until_somebody_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def counted(*arguments: Any) -> Change:
        nonlocal written
        written += 1
        return Change(*arguments)

    monkeypatch.setattr("healthcare_deid.engine.header.fast.run_follower.Change", counted)
    result = by_bytes(MADE["basic"], PYDICOM_FILES / "CT_small.dcm", tmp_path / "out.dcm")

    assert written == 0
    assert len(result.changes) > written > 0


def test_equal_bytes_in_two_places_are_two_decisions(planted: Any, write: Any, tmp_path: Path) -> None:
    """In a sequence that is replaced by dummies nothing stays of what stays at the top level."""
    dataset, item = planted.dataset, Dataset()
    dataset.CodingSchemeDesignator = item.CodingSchemeDesignator = "99ZQX0CODE"
    dataset[0x0040A730] = DataElement(0x0040A730, "SQ", Sequence([item]))
    source = write(planted.file())

    for name, deidentifier in MADE.items():
        for _ in range(2):
            by_bytes(deidentifier, source, tmp_path / "bytes.dcm")
            by_dataset(deidentifier, source, tmp_path / "dataset.dcm")
            assert (tmp_path / "bytes.dcm").read_bytes() == (tmp_path / "dataset.dcm").read_bytes(), name


def test_both_know_an_instance_by_a_large_sequence_of_its_header(
    tmp_path: Path, write: Any, as_file: Any, make: Any
) -> None:
    report, observer = _instance(), Dataset()
    observer.PersonName = "Ngugi^Wamaitha"
    report.ContentSequence = Sequence([observer, *(_text("a finding " * 99) for _ in range(99)), _text("ngugi w.")])
    deidentifier = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"})
    source = write(as_file(report))

    found = [way(deidentifier, source, tmp_path / way.__name__) for way in (by_dataset, by_bytes)]

    assert ["ngugi" in str(result.dataset.ContentSequence[-1].TextValue) for result in found] == [False, False]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("delimited", [False, True])
@pytest.mark.parametrize("size", [4, 200_000])
def test_both_enter_a_sequence_that_nothing_but_its_value_tells(
    size: int, delimited: bool, syntax: str, tmp_path: Path, write: Any, as_file: Any, make: Any
) -> None:
    dataset, item, deeper = _instance(), Dataset(), Dataset()
    deeper.PatientName = "Rivera^Ana"
    item.PatientName, item.Modality = "Rivera^Ana", "QZ"
    item.add_new(0x00091002, "OB", bytes(size))
    item.ReferencedStudySequence = Sequence([deeper])
    item.ReferencedStudySequence[0].is_undefined_length_sequence_item = delimited
    item["ReferencedStudySequence"].is_undefined_length = delimited
    item.is_undefined_length_sequence_item = delimited
    dataset.add_new(0x00090010, "LO", "A CREATOR THAT NO DICTIONARY KNOWS")
    dataset.add_new(0x00091001, "UN", _implicit(Sequence([item, item])))
    dataset.add_new(0x00091003, "UN", b"\xfe\xff\x00\xe0 but no items")
    deidentifier = make({"removeList": {"tags": ["PatientName"]}})
    source = write(as_file(dataset, syntax))

    results = [way(deidentifier, source, tmp_path / way.__name__) for way in (by_dataset, by_bytes)]

    first, second = ((tmp_path / way.__name__).read_bytes() for way in (by_dataset, by_bytes))
    assert first == second
    assert b"Rivera" not in first
    assert first.count(b"QZ") == 2
    assert b"but no items" not in first
    assert without_lengths(results[0].changes) == without_lengths(results[1].changes)
    assert {change.path for change in results[0].changes} >= {
        "00091001[1]/00100010",
        "00091001[1]/00081110[0]/00100010",
    }


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_begins_as_a_sequence_and_is_none_is_emptied_with_a_warning(
    syntax: str, tmp_path: Path, write: Any, as_file: Any, make: Any
) -> None:
    dataset = _instance()
    dataset.add_new(0x00090010, "LO", "A CREATOR THAT NO DICTIONARY KNOWS")
    dataset.add_new(0x00091001, "UN", b"\xfe\xff\x00\xe0 but no items")
    source = write(as_file(dataset, syntax))

    for way in (by_dataset, by_bytes):
        result = way(make({"removeList": {"tags": ["PatientName"]}}), source, tmp_path / "out.dcm")
        assert [warning for warning in result.warnings if "may hold anything" in warning]
        assert b"but no items" not in (tmp_path / "out.dcm").read_bytes()
        assert result.dataset[0x00091001].is_empty


def test_an_element_without_a_vr_and_an_end_of_its_own_is_one_that_readers_can_read(as_file: Any, make: Any) -> None:
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    element = b"\x23\x00\x44\x41" + b"\xff\xff\xff\xff" + b"970806 and more" + end
    source = as_file(_instance(), ExplicitVRLittleEndian) + element

    result = make({"removeList": {"tags": ["PatientName"]}}).deidentify_bytes(source)

    read = pydicom.dcmread(io.BytesIO(result.data))
    assert "PatientName" not in read
    assert read[0x00234144].value.startswith(b"970806")


@given(drawn=st.lists(datasets(2), min_size=1, max_size=3), cut=st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_items_are_told_from_other_bytes(drawn: list[Dataset], cut: int) -> None:
    value = _implicit(Sequence(drawn))

    assert holds_items(value)
    assert holds_items(b"before" + value + b"after", 6, 6 + len(value))
    assert not holds_items(value[:-cut]) or holds_items(value[-cut:])
    assert not holds_items(value + b"\0" * cut)


def _implicit(items: Sequence) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian = file.is_implicit_VR = True
    write_data_element(file, DataElement(0x00091001, "SQ", items))
    return file.getvalue()[8:]


def _instance() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    return dataset


def _text(text: str) -> Dataset:
    item = Dataset()
    item.TextValue = text
    return item
