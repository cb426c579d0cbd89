"""DICOM stores at both ends of a run and of pipelines, over a real socket to the emulator."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, presets
from healthcare_deid.dicom_stores import DicomStoreOriginals, DicomStoreResults, StoreReader
from healthcare_deid.emulator import Emulator
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError, EngineError, NotFound, ReplyError, RunRefused
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATASET = "projects/p/locations/us-central1/datasets/d"
STORE = f"{DATASET}/dicomStores/s"
OUT = f"{DATASET}/dicomStores/out"
COUNT = 5


class Lab:
    """An emulator on a port, with a filled store and an empty one, and the same instances in a folder.

    Args:
        url: Where it serves.
        folder: The folder.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.scans = folder / "scans"
        self.client = DeidClient(endpoint=url)
        self.client.create_dataset(DATASET).result()
        for store in (STORE, OUT):
            self.client.create_dicom_store(store)
        self.scans.mkdir()
        for number in range(COUNT):
            (self.scans / f"{number}.dcm").write_bytes(instance(number))
        assert self.client.upload(STORE, self.scans).succeeded == COUNT

    def web(self, store: str) -> str:
        return f"{self.url}/v1/{store}/dicomWeb"

    def contents(self, store: str, folder: Path) -> dict[str, bytes]:
        """Download a store."""
        self.client.download(store, folder)
        return contents(folder)


def instance(number: int, comment: str = "") -> bytes:
    dataset: Any = sample_dicom()[0].dataset.copy()
    dataset.SOPInstanceUID = f"1.2.3.{number}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.TextValue = comment
    dataset.Rows = dataset.Columns = 4
    dataset.PixelData = bytes(16 * dataset.SamplesPerPixel * dataset.BitsAllocated // 8)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def tags() -> Deidentifier:
    """Leaves pixels alone, which is quick."""
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    return Deidentifier(config, secret=b"a secret of this project")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Emulator(tmp_path / "google") as emulator, emulator.server(port=0) as server:
        lab = Lab(server.url, tmp_path)
        yield lab
        lab.client.close()


def test_a_store_gives_and_takes_the_same_bytes_as_a_folder(lab: Lab, tags: Deidentifier, tmp_path: Path) -> None:
    tags.deidentify_tree(lab.scans, tmp_path / "expected", workers=1)
    expected = contents(tmp_path / "expected")

    down = tags.deidentify_tree(DicomStoreOriginals(lab.web(STORE)), tmp_path / "down", workers=1)
    through = [
        tags.deidentify_tree(
            DicomStoreOriginals(lab.web(STORE)), DicomStoreResults(OUT, endpoint=lab.url), run=tmp_path / "run"
        )
        for _ in range(2)
    ]

    assert (down.succeeded, down.failed) == (COUNT, 0)
    assert contents(tmp_path / "down") == expected
    assert [(one.succeeded, one.skipped, one.failed) for one in through] == [(COUNT, 0, 0), (0, COUNT, 0)]
    assert lab.contents(OUT, tmp_path / "out") == expected
    assert "staged" not in {path.name for path in (tmp_path / "run").iterdir()}


def test_workers_connect_each_on_their_own(lab: Lab, tags: Deidentifier, tmp_path: Path) -> None:
    ends = DicomStoreOriginals(lab.web(STORE)), DicomStoreResults(lab.web(OUT))
    report = tags.deidentify_tree(*ends, run=tmp_path / "run", workers=2)
    assert (report.succeeded, report.failed) == (COUNT, 0)


def test_an_instance_of_another_config_is_replaced_and_one_that_is_not_made_again_goes(
    lab: Lab, tags: Deidentifier, tmp_path: Path
) -> None:
    results = DicomStoreResults(lab.web(OUT))
    tags.deidentify_tree(lab.scans, results, run=tmp_path / "run", workers=1)
    (lab.scans / "0.dcm").unlink()
    other = Deidentifier(tags.config, secret=b"a secret of this project", markers=False)
    with pytest.raises(RunRefused, match="other settings"):
        other.deidentify_tree(lab.scans, results, run=tmp_path / "run", workers=1)
    report = other.deidentify_tree(lab.scans, results, run=tmp_path / "run", workers=1, overwrite=True)
    other.deidentify_tree(lab.scans, tmp_path / "expected", workers=1)
    assert (report.succeeded, report.failed) == (COUNT - 1, 0)
    assert lab.contents(OUT, tmp_path / "out") == contents(tmp_path / "expected")


def test_a_store_with_instances_that_no_run_folder_tells_of_is_refused(
    lab: Lab, tags: Deidentifier, tmp_path: Path
) -> None:
    with pytest.raises(RunRefused, match="no run folder"):
        tags.deidentify_tree(tmp_path / "scans", DicomStoreResults(lab.web(STORE)), run=tmp_path / "run")


def test_originals_and_results_are_never_in_one_store(lab: Lab, tags: Deidentifier, tmp_path: Path) -> None:
    ends = DicomStoreOriginals(lab.web(STORE)), DicomStoreResults(STORE, endpoint=lab.url)
    with pytest.raises(ValueError, match="inside the source"):
        tags.deidentify_tree(*ends, run=tmp_path / "run")


def test_names_of_a_source_are_no_names_in_a_store(lab: Lab, tags: Deidentifier, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="by their UIDs"):
        tags.deidentify_tree(lab.scans, DicomStoreResults(lab.web(OUT)), run=tmp_path / "run", names="source")


def test_a_store_that_is_not_there_ends_the_run_before_it_begins(lab: Lab, tags: Deidentifier, tmp_path: Path) -> None:
    missing = f"{DATASET}/dicomStores/missing"
    with pytest.raises(NotFound):
        tags.deidentify_tree(lab.scans, DicomStoreResults(lab.web(missing)), run=tmp_path / "run")
    with pytest.raises(NotFound):
        tags.deidentify_tree(DicomStoreOriginals(lab.web(missing)), tmp_path / "clean")


def test_a_result_that_a_store_refuses_is_a_failure_that_says_so(lab: Lab, tmp_path: Path) -> None:
    results = DicomStoreResults(lab.web(OUT))
    results.begin(tmp_path, "uid")
    staged = results.stage("1/2/3.dcm")
    staged.parent.mkdir()
    staged.write_bytes(b"Ada Okonkwo is not DICOM")
    with pytest.raises(EngineError, match="the DICOM store: ") as caught:
        results.commit(staged, "1/2/3.dcm")
    assert "Okonkwo" not in str(caught.value)
    with pytest.raises(EngineError, match="a UID is missing"):
        results.commit(staged, "unknown/2/3.dcm")
    assert not results.has("1/2/3.dcm")
    assert not results.has("unknown/2/3.dcm")
    results.remove("1/2/3.dcm")
    results.remove("unknown/2/3.dcm")
    results.clean()
    assert not staged.exists()


def test_an_instance_that_is_gone_since_the_search_is_a_failure_of_its_own(lab: Lab) -> None:
    originals = DicomStoreOriginals(lab.web(STORE))
    entry = next(originals.entries())
    assert originals.count() == COUNT
    gone = entry._replace(name=entry.name.replace(".dcm", "9.dcm"))
    with pytest.raises(EngineError, match="HTTP 404"), originals.opened(gone):
        pass


@pytest.mark.parametrize(
    ("store", "given"),
    [
        ("d/s", {}),
        ("https://orthanc.example", {}),
        ("https://orthanc.example/dicom-web?patient=Okonkwo", {}),
        ("https://reader:Okonkwo@orthanc.example/dicom-web", {}),
        ("https://orthanc.example/dicom-web", {"endpoint": "http://127.0.0.1:1"}),
        (f"https://healthcare.googleapis.com/v2/{STORE}/dicomWeb", {}),
        (f"https://user@host/v1/{STORE}/dicomWeb?key=Okonkwo", {}),
        (f"https://healthcare.googleapis.com/v1/{STORE}/dicomWeb", {"endpoint": "http://127.0.0.1:1"}),
    ],
)
def test_what_is_no_store_is_refused_in_words(store: str, given: dict[str, Any]) -> None:
    for end in (DicomStoreOriginals, DicomStoreResults):
        with pytest.raises(ConfigError) as caught:
            end(store, **given)
        assert "Okonkwo" not in str(caught.value)


def test_an_end_travels_to_another_process_without_its_connection(lab: Lab) -> None:
    originals = DicomStoreOriginals(lab.web(STORE))
    first = [*originals.entries()]
    assert [*pickle.loads(pickle.dumps(originals)).entries()] == first


def test_an_instance_is_read_whole_however_large(lab: Lab, tmp_path: Path) -> None:
    data = instance(99, "x" * (33 << 20))
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "99.dcm").write_bytes(data)
    assert lab.client.upload(STORE, tmp_path / "large").succeeded == 1
    reader = StoreReader(STORE, lab.url)
    (name,) = (name for name in reader.names() if name.endswith(".99"))
    assert reader.read(name) == data
    reader.close()


@pytest.mark.parametrize("name", ["1/2/..", "../2/3", "1/2/3?a=b", "1/2/3#", "1//", "1/2", "1/2/3/4", "1/2/\u0661"])
def test_a_name_that_is_not_three_uids_is_not_requested(name: str) -> None:
    reader = StoreReader(STORE, "http://127.0.0.1:1")
    with pytest.raises(ReplyError, match="valid UIDs") as caught:
        reader.read(name)
    reader.close()
    assert name not in str(caught.value)
