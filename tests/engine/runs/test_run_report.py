"""The report of a run: every number can be checked against originals and results, and none of it tells who it is."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import DeidentifyConfig, presets, v1beta1
from healthcare_deid.config import summary
from healthcare_deid.engine import Admission, AdmissionRule, Dates, Deidentifier
from healthcare_deid.engine.options import meanings
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.engine.runs.unchecked import unchecked
from healthcare_deid.errors import RunRefused
from healthcare_deid.report import AttributeCounts, RunReport, write_run_report
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.engine import TreeReport

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def tags_with_values(dataset: Dataset) -> dict[int, set[bytes]]:
    """Return the values of every attribute that has any, at any depth, by tag."""
    found: dict[int, set[bytes]] = defaultdict(set)
    for element in dataset.iterall():
        if element.VR == "SQ":
            if element.value:
                found[element.tag].add(element.to_json().encode())
        elif element.value not in (None, "", b"") and str(element.value) not in ("", "[]"):
            found[element.tag].add(repr(element.value).encode())
    return found


def test_an_attribute_is_counted_by_what_became_of_it_and_only_where_it_had_a_value(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    for number, sample in enumerate(sample_dicom()):
        sample.dataset.save_as(scans / f"sample-{number}.dcm", enforce_file_format=True)
    deidentifier = profile(BASIC)
    report = deidentifier.deidentify_tree(scans, tmp_path / "clean", workers=1)
    told = {one.tag: one for one in RunReport.of(report.run).attributes}
    originals, kept, top = Counter[int](), Counter[int](), Counter[int]()
    for path in scans.iterdir():
        before = tags_with_values(pydicom.dcmread(path))
        name = deidentifier.result_name(path)
        after = tags_with_values(pydicom.dcmread(tmp_path / "clean" / str(name)))
        originals.update([*before])
        kept.update(tag for tag in before if before[tag] & after.get(tag, set()))
        top.update(element.tag for element in pydicom.dcmread(path) if element.tag in before)
    assert {int(tag, 16) for tag, one in told.items() if not (one.added or tag.startswith("0002"))} <= set(originals)
    for tag in top:  # what is nested goes with its sequence
        one = told[f"{tag:08X}"]
        assert one.kept == kept[tag], one.name
        assert one.kept + one.changed + one.dummy + one.emptied + one.removed >= top[tag], one.name
    assert told["00100010"] == AttributeCounts("00100010", "PatientName", emptied=originals[0x00100010])
    assert told["00104000"].removed == originals[0x00104000] < len(list(scans.iterdir()))


def test_dummies_are_counted_apart_from_shifted_dates_and_values_of_the_project(
    tmp_path: Path,
) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    sample_dicom()[0].dataset.save_as(scans / "0.dcm", enforce_file_format=True)
    config = DeidentifyConfig.from_api({"dicom": {"filterProfile": BASIC}})
    options: dict[str, Any] = {"secret": b"a secret of sixteen bytes or more", "set_values": {"PatientID": "SITE-9"}}
    dummies = Deidentifier(config, **options).deidentify_tree(scans, tmp_path / "dummies", workers=1).run
    shifted = Deidentifier(config, dates=Dates(), **options).deidentify_tree(scans, tmp_path / "shifted", workers=1).run
    assert dummies is not None
    assert shifted is not None
    counted = [{one.tag: one for one in RunReport.of(run).attributes} for run in (dummies, shifted)]
    assert [(one["00080021"].dummy, one["00080021"].changed) for one in counted] == [(1, 0), (0, 1)]
    assert all((one["00100020"].dummy, one["00100020"].changed) == (0, 1) for one in counted)
    assert "<th class=n>dummy" in (dummies / "report.html").read_text()


def test_private_attributes_are_told_with_the_creators_that_are_makers_and_no_other_text_in_their_place(
    tmp_path: Path, put: Callable[..., None]
) -> None:
    (tmp_path / "scans").mkdir()
    for number, creator in enumerate(["GEMS_IDEN_01", "GEMS_IDEN_01", "Rivera^Ana"]):
        dataset = sample_dicom()[number].dataset
        dataset.private_block(0x0009, creator, create=True).add_new(1, "LO", "x")
        dataset.private_block(0x0903, "GEIIS PACS", create=True).add_new(0x10, "US", 1)
        dataset.private_block(0x0097, "Rivera^Ana", create=True).add_new(1, "LO", "x")
        dataset.save_as(tmp_path / "scans" / f"{number}.dcm", enforce_file_format=True)
    config = DeidentifyConfig.from_api({"dicom": {"filterProfile": BASIC}})
    looking = presets.remove_metadata_and_all_text()
    for name, engine in (("bytes", Deidentifier(config)), ("pixels", Deidentifier(looking))):
        run = engine.deidentify_tree(tmp_path / "scans", tmp_path / name, workers=1).run
        assert run is not None
        names = {one.name for one in RunReport.of(run).attributes if one.is_private}
        assert {"(0009,1001) private GEMS_IDEN_01 or another", "(0903,1010) private GEIIS PACS"} <= names
        assert {"(0903,0010) private GEIIS PACS", "(0097,1001) private"} <= names
        for file in run.iterdir():
            assert b"Rivera" not in file.read_bytes(), file.name
        assert "GEIIS PACS" in (run / "report.html").read_text()


def test_the_totals_of_all_results_come_first_and_the_counts_of_the_last_start_are_called_that(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1)
    run = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1).run
    report = RunReport.of(run)
    assert (report.results, report.counts["succeeded"], report.counts["skipped"]) == (4, 0, 4)
    page = (run / "report.html").read_text()
    total, last, none = (page.index(text) for text in ("de-identified in all", "The last start", "de-identified now"))
    assert total < last < none
    assert "<b>4</b><span>de-identified in all" in page
    assert "<b>0</b><span>de-identified now" in page
    assert "last start,succeeded,,0\n" in (run / "report.csv").read_text()


def test_every_number_of_a_run_is_in_the_report(run: TreeReport) -> None:
    report = RunReport.of(run.run) if run.run else None
    assert report is not None
    counts = report.counts
    assert counts["found"] == sum(counts[name] for name in ("succeeded", "duplicates", "skipped", "failed", "refused"))
    assert (report.state, report.results) == ("complete", run.succeeded)
    assert report.refused == {"ultrasound": 2}
    assert list(report.failures) == [("not-dicom", "not a DICOM file")]
    assert report.ignored == {"not a DICOM file": 1}
    entries = list(read_record(run.run / "record.jsonl"))  # type: ignore[operator] # a run has a folder
    assert report.pixels.rectangles == sum(len(entry["redactions"]) for entry in entries) > 0
    assert report.pixels.results == sum(1 for entry in entries if entry["redactions"])
    assert ("pixels", "cover all text") in report.config
    assert [option[:2] for option in report.options] == [("admit", "refuse ultrasound: modality US")]
    assert {"healthcare-deid", "text detector"} <= set(report.versions)
    assert any(text.startswith("Files failed") and text.endswith(": 1.") for text in report.unchecked)


def test_the_page_loads_nothing_has_a_place_to_sign_and_tells_nobody(run: TreeReport) -> None:
    assert run.run is not None
    page, table = (run.run / "report.html").read_text(), (run.run / "report.csv").read_text()
    assert not re.search(r"(src|href)=|@import|url\(|<script", page)
    assert "default-src 'none'" in page
    for text in ("Name</div>", "Signature</div>", "Date</div>", "(0010,0010) PatientName", "What was not checked"):
        assert text in page
    assert (run.run / "report.html").stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(table.splitlines()))
    assert {"section": "refused", "item": "ultrasound", "detail": "", "value": "2"} in rows
    for sample in sample_dicom():
        for value in (sample.person.patient_id, sample.person.name.split("^")[0]):
            assert value not in page
            assert value not in table


def test_a_report_can_be_made_again_and_of_a_run_that_was_killed(profile: Any, scans: Path, tmp_path: Path) -> None:
    run = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1).run
    first = RunReport.of(run)
    (run / "report.html").unlink()
    assert write_run_report(run) == first
    assert (run / "report.html").is_file()
    manifest = json.loads((run / "manifest.json").read_text())
    for name in ("ended", "state", "counts"):
        del manifest["runs"][-1][name]
    (run / "manifest.json").write_text(json.dumps(manifest))
    with (run / "record.jsonl").open("ab") as file:
        again = (run / "record.jsonl").read_bytes().splitlines(keepends=True)[-1]
        file.write(again + again[:40])  # made again, and then cut off
    killed = write_run_report(run)
    assert (killed.state, killed.results, killed.counts) == ("not ended", 4, {})
    assert killed.attributes == first.attributes
    page = (run / "report.html").read_text()
    assert "was killed" in page
    assert "failed at the last start" not in page


def test_a_folder_that_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunRefused, match=r"no manifest\.json"):
        write_run_report(tmp_path)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (None, "nobody looked for"),
        ("REDACT_ALL_TEXT", "wherever text was looked for"),
        ("REDACT_SENSITIVE_TEXT", "not read"),
    ],
)
def test_what_was_not_looked_at_is_said_by_what_the_config_asks_for(
    mode: str | None, said: str, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[..., None]
) -> None:
    put(tmp_path / "scans" / "0.dcm", instance_file(0))
    image = {"image": {"textRedactionMode": mode}} if mode else {}
    config = DeidentifyConfig.from_api({"dicom": {"filterProfile": BASIC}, **image})
    run = Deidentifier(config).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1).run
    assert run is not None
    assert said in RunReport.of(run).unchecked[0]


def test_what_was_not_looked_at_is_said_by_the_action_on_pixels_where_there_is_one() -> None:
    tags = {
        "options": {"cleanImage": {"textRedactionMode": "REDACT_ALL_TEXT"}},
        "actions": [{"queries": ["PixelData"], "cleanImageTag": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}],
    }
    config = v1beta1.DeidentifyConfig.from_api({"dicomTagConfig": tags})
    settings: dict[str, Any] = {"options": {}, "run": {}}
    assert "text that was not read as sensitive was left" in unchecked(config.parts(), settings, {}, private=0)[0]
    assert ("pixels", "cover sensitive text") in summary.rows(config.parts())


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    for number in range(4):
        comment = {"PatientComments": "x" if number % 2 else ""}
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number, **comment))
    return tmp_path / "scans"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TreeReport:
    """A run over the samples, with an image that is refused, a broken one and a letter."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "scans").mkdir()
    for number, sample in enumerate(sample_dicom()):
        sample.dataset.save_as(folder / "scans" / f"{number}.dcm", enforce_file_format=True)
    (folder / "scans" / "broken.dcm").write_text("no image")
    (folder / "scans" / "letter.txt").write_text("Dear colleague")
    admission = Admission(refuse=[AdmissionRule(name="ultrasound", modality=["US"])])
    engine = Deidentifier(presets.remove_metadata_and_all_text())
    return engine.deidentify_tree(folder / "scans", folder / "clean", workers=1, admit=admission)


def test_an_option_is_explained_to_the_person_who_signs_and_not_to_a_programmer(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    report = profile(BASIC, secret=bytes(range(32)), masks=()).deidentify_tree(
        scans, tmp_path / "clean", names="source", workers=1
    )
    told = {name: meaning for name, _, meaning in RunReport.of(report.run).options}
    assert "Whoever has it can make the same again" in told["secret"]
    assert "may tell who the patient is" in told["names"]
    for one, meaning in meanings():
        text = meaning.signer or meaning.text
        for word in ("`", "at least 16 bytes", "PyPI", "file (JSON", "key folder", "base64", "Python"):
            assert word not in text, (one.name, word)


def test_the_page_calls_duplicates_by_the_word_of_the_documentation(run: TreeReport) -> None:
    assert run.run is not None
    page = (run.run / "report.html").read_text("utf-8")
    assert "<span>duplicates</span>" in page
    assert "copies" not in page
