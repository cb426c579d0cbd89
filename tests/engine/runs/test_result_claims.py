"""One name, one source: whatever the order, the workers and the restarts, the books are right."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Admission, AdmissionRule, Deidentifier
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.engine.runs.result_claims import Claims, Recorded, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

BASIC = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}))
NOT_BURNED_IN = Admission(refuse=[AdmissionRule(name="burned in", burned_in=["yes"])])
SMALL, MIDDLE, LARGE = b"\1" * 32, b"\2" * 32, b"\3" * 32

FOLDERS = st.lists(
    st.one_of(
        st.tuples(st.just("instance"), st.integers(1, 4), st.integers(0, 3)),
        st.tuples(st.sampled_from(["text", "cut", "burned"]), st.integers(1, 2), st.just(0)),
    ),
    min_size=1,
    max_size=14,
)


class Expected:
    """What must become of a folder, worked out without the engine's books."""

    def __init__(self, source: Path) -> None:
        digests: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.ignored = self.cut = self.burned = 0
        for path in sorted(source.iterdir()):
            data = path.read_bytes()
            if path.suffix == ".txt":
                self.ignored += 1
            elif path.name.endswith("cut.dcm"):
                self.cut += 1
            elif path.name.endswith("burned"):
                self.burned += 1
            else:
                result = BASIC.result_name(path)
                assert result is not None
                digests[result][hashlib.sha256(data).hexdigest()].append(path.name)
        self.winners = {result: min(of) for result, of in digests.items()}
        self.copies = sum(len(of[self.winners[result]]) - 1 for result, of in digests.items())
        losers = {name for of in digests.values() for sha, names in of.items() if sha != min(of) for name in names}
        self.losers = losers


def check(source: Path, clean: Path, report: Any, *, made: int, skipped: int) -> None:
    expected = Expected(source)
    there = {path.relative_to(clean).as_posix() for path in clean.rglob("*") if path.is_file()}
    assert report.found == report.succeeded + report.duplicates + report.skipped + report.failed + report.refused
    assert (report.refused, sum(report.refused_by.values())) == (expected.burned, expected.burned)
    assert (report.succeeded, report.skipped) == (made, skipped)
    assert made + skipped == len(there)
    assert (report.duplicates, report.ignored) == (expected.copies, expected.ignored)
    assert report.failed == len(expected.losers) + expected.cut
    assert {failure.path for failure in report.failures if failure.reason == "same-uid"} == expected.losers
    assert there == set(expected.winners)
    lines = [(entry["result"], entry["source"]) for entry in read_record(report.run / "record.jsonl")]
    assert Counter(name for name, _ in lines) == Counter(there)
    assert dict(lines) == expected.winners


def fill(source: Path, entries: list[tuple[str, int, int]], make: Callable[..., bytes]) -> None:
    for number, (kind, instance, content) in enumerate(entries):
        if kind == "text":
            (source / f"{number:02}.txt").write_bytes(b"no image\n")
        elif kind == "cut":
            (source / f"{number:02}-cut.dcm").write_bytes(make(instance)[:-1])
        elif kind == "burned":
            (source / f"{number:02}-burned").write_bytes(make(instance, BurnedInAnnotation="YES"))
        else:
            (source / f"{number:02}").write_bytes(make(instance, content))


@settings(max_examples=25)
@given(first=FOLDERS, more=FOLDERS)
def test_found_is_the_sum_of_what_became_of_the_files_whatever_the_folder(
    instance_file_of_module: Callable[..., bytes], first: list[tuple[str, int, int]], more: list[tuple[str, int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, clean = Path(folder, "source"), Path(folder, "clean")
        source.mkdir()
        fill(source, first, instance_file_of_module)
        go_on = functools.partial(BASIC.deidentify_tree, source, clean, workers=1, admit=NOT_BURNED_IN)
        report = go_on()
        before = Expected(source).winners
        check(source, clean, report, made=len(before), skipped=0)
        fill(source, [*first, *more], instance_file_of_module)
        after = Expected(source).winners
        kept = len(before.items() & after.items())
        check(source, clean, go_on(), made=len(after) - kept, skipped=kept)
        again = go_on(overwrite=True)
        check(source, clean, again, made=len(after), skipped=0)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_books_are_the_same_for_any_number_of_workers(
    instance_file: Callable[..., bytes], tmp_path: Path, workers: int
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    entries = [("instance", number % 7, number % 5) for number in range(140)]  # in chunks of 32: workers must meet
    fill(source, entries, instance_file)
    report = BASIC.deidentify_tree(source, tmp_path / "clean", workers=workers)
    check(source, tmp_path / "clean", report, made=7, skipped=0)
    assert report.failed == 7 * 4 * 4


@pytest.fixture(scope="module")
def instance_file_of_module() -> Callable[..., bytes]:
    import io

    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    def make(number: int, content: int = 0, **attributes: str) -> bytes:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID(f"1.2.826.9.3.{number}")
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.9.1", "1.2.826.9.2"
        dataset.PatientName, dataset.InstanceNumber = "Okonkwo^Ada", content
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()

    return make


def test_of_differing_sources_the_smallest_digest_has_the_name() -> None:
    claims = Claims()
    assert claims.decide(b"k", MIDDLE, None, again=False).verdict is Verdict.WRITE
    claims.claim(b"k", MIDDLE, "b")
    claims.copy(b"k", "b again")
    assert claims.decide(b"k", LARGE, None, again=False).verdict is Verdict.LOSE
    assert claims.decide(b"k", MIDDLE, None, again=False).verdict is Verdict.DUPLICATE
    decision = claims.decide(b"k", SMALL, None, again=False)
    assert (decision.verdict, decision.displaced) == (Verdict.WRITE, True)
    displaced = claims.claim(b"k", SMALL, "a")
    assert displaced is not None
    assert (displaced.sources, displaced.skipped, displaced.digest) == (("b", "b again"), False, MIDDLE)
    claims.close()


def test_a_recorded_result_keeps_its_name_unless_a_smaller_digest_comes() -> None:
    claims = Claims()
    recorded = Recorded(MIDDLE, 100)
    assert claims.decide(b"k", MIDDLE, recorded, again=False).verdict is Verdict.SKIP
    assert claims.decide(b"k", MIDDLE, recorded, again=True).verdict is Verdict.WRITE
    assert claims.decide(b"k", LARGE, recorded, again=True).verdict is Verdict.LOSE
    assert claims.decide(b"k", SMALL, recorded, again=False) == claims.decide(b"k", SMALL, recorded, again=True)
    assert claims.decide(b"k", SMALL, recorded, again=False).displaced
    claims.close()
