"""Runs that are stopped in any way, and go on: the end is the same as of one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.engine import Pseudonyms
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.errors import RunInProgress, RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Contents = Callable[[Path], dict[str, bytes]]

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"

RUN = """
import os, sys
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": sys.argv[3]}}))
engine.deidentify_tree(sys.argv[1], sys.argv[2], workers=int(sys.argv[4]))
"""
KILLED_AT = """
replace, renamed = os.replace, 0
def killed(*names):
    global renamed
    if str(names[1]).endswith(".dcm"):
        renamed += 1
        if renamed == 20:
            os.kill(os.getpid(), 9)
    replace(*names)
os.replace = killed
"""


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    for number in range(40):
        put(tmp_path / "scans" / f"{number % 4}" / f"{number}.dcm", instance_file(number))
    return tmp_path / "scans"


def results(record: Path) -> dict[str, Any]:
    return {entry["result"]: entry for entry in read_record(record)}


def test_a_run_that_is_killed_leaves_whole_files_and_the_next_one_does_the_rest(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents
) -> None:
    clean, expected = tmp_path / "clean", tmp_path / "expected"
    profile(BASIC).deidentify_tree(scans, expected)
    program = RUN.replace("import os, sys", f"import os, sys{KILLED_AT}")

    run = subprocess.run([sys.executable, "-c", program, str(scans), str(clean), BASIC, "1"], check=False)
    killed = contents(clean)
    report = profile(BASIC).deidentify_tree(scans, clean)

    assert run.returncode == -signal.SIGKILL
    whole = {name: data for name, data in killed.items() if not name.endswith(".part")}
    assert len(whole) == 19
    assert len(killed) > len(whole)
    assert whole.items() <= contents(expected).items()
    assert report.succeeded + report.skipped == 40
    assert report.failed == 0
    assert contents(clean) == contents(expected)
    assert results(tmp_path / "clean.run" / "record.jsonl") == results(tmp_path / "expected.run" / "record.jsonl")


def test_a_partial_file_of_any_process_is_removed_at_the_start(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents, put: Callable[[Path, bytes], None]
) -> None:
    for name in (".1-0.healthcare-deid.part", "a/b/.0123456789abcdef.healthcare-deid.part"):
        put(tmp_path / "clean" / name, b"half")
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    assert report.succeeded == len(contents(tmp_path / "clean")) == 40


def test_a_config_that_differs_is_refused_in_words_and_nothing_is_touched(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents
) -> None:
    clean = tmp_path / "clean"
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree(scans, clean)
    before = contents(clean), (tmp_path / "clean.run" / "manifest.json").read_bytes()
    for other in (profile(BASIC), profile("MINIMAL_KEEP_LIST_PROFILE", markers=False)):
        with pytest.raises(RunRefused, match="overwrite") as caught:
            other.deidentify_tree(scans, clean)
        assert (contents(clean), (tmp_path / "clean.run" / "manifest.json").read_bytes()) == before
    assert caught.value.differences == ("options.markers: true there, false now",)


def test_results_of_another_config_that_are_not_made_again_are_removed(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents
) -> None:
    clean, expected = tmp_path / "clean", tmp_path / "expected"
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree(scans, clean)
    for path in (scans / "0").iterdir():
        path.unlink()
    profile(BASIC).deidentify_tree(scans, expected)

    report = profile(BASIC).deidentify_tree(scans, clean, overwrite=True)

    assert report.succeeded == 30
    assert [count for text, count in report.warnings.items() if "was removed" in text] == [10]
    assert contents(clean) == contents(expected)
    assert results(tmp_path / "clean.run" / "record.jsonl") == results(tmp_path / "expected.run" / "record.jsonl")
    assert profile(BASIC).deidentify_tree(scans, clean).skipped == 30


def test_results_that_no_run_folder_tells_of_are_adopted_or_made_again_only_when_asked(
    profile: Any, scans: Path, tmp_path: Path, put: Callable[[Path, bytes], None]
) -> None:
    put(tmp_path / "clean" / "unknown.dcm", b"somebody's")
    with pytest.raises(RunRefused, match="no run folder"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    assert profile(BASIC).deidentify_tree(scans, tmp_path / "clean", adopt=True).succeeded == 40
    assert profile(BASIC).deidentify_tree(scans, tmp_path / "clean").skipped == 40


SHIFTED = {"additionalTransformations": [{"infoTypes": ["DATE"], "dateShiftConfig": {}}]}


def test_a_run_without_a_key_shifts_by_the_same_days_tomorrow(
    make: Any, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]
) -> None:
    import pydicom

    for number in range(2):
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number))
        report = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED).deidentify_tree(
            tmp_path / "scans", tmp_path / "clean"
        )
        assert (report.succeeded, report.skipped) == (1, number)
    dates = {str(pydicom.dcmread(path).StudyDate) for path in (tmp_path / "clean").rglob("*.dcm")}
    assert len(dates) == 1
    assert dates != {"20210314"}


def test_a_run_whose_secret_is_lost_is_refused_and_says_where_it_was(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance_file: Callable[..., bytes], put: Any
) -> None:
    put(tmp_path / "scans" / "1.dcm", instance_file(1))
    keys = tmp_path / "keys"
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(keys))
    deidentifier = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED)
    deidentifier.deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    (secret,) = keys.iterdir()
    kept = secret.read_bytes()
    assert kept.strip() not in b"".join(path.read_bytes() for path in (tmp_path / "clean.run").iterdir())
    secret.unlink()
    with pytest.raises(
        RunRefused, match=f"missing: it was in the key folder {keys}. Give it .--secret-file, or secret"
    ):
        deidentifier.deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    given = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED, secret=kept.strip())
    assert given.deidentify_tree(tmp_path / "scans", tmp_path / "clean").skipped == 1


def test_a_run_that_was_given_its_secret_is_refused_without_it_and_says_how_to_give_it(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance_file: Callable[..., bytes], put: Any
) -> None:
    put(tmp_path / "scans" / "1.dcm", instance_file(1))
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(tmp_path / "keys"))
    profile = {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}
    make(profile, text=SHIFTED, secret=bytes(range(32))).deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    with pytest.raises(RunRefused) as refused:
        make(profile, text=SHIFTED).deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    assert "it was given with the command that began it. Give it (--secret-file, or secret=)" in str(refused.value)
    assert str(tmp_path / "keys") in str(refused.value)


def test_a_secret_that_is_made_is_told_once_with_its_place_and_what_it_is_for(
    make: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    instance_file: Callable[..., bytes],
    put: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(keys))
    shifts = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED)
    for number in (1, 2):
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number))
        shifts.deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    (told,) = [record for record in caplog.records if record.name.startswith("healthcare_deid.engine")]
    (secret,) = keys.iterdir()
    assert (told.levelname, str(secret) in told.getMessage()) == ("WARNING", True)
    assert "Dates, hashes, UIDs and pseudonyms of these results are derived from it" in told.getMessage()
    assert secret.read_text().strip() not in told.getMessage()


def test_a_refusal_says_that_decisions_of_a_review_are_open_again_if_there_are_any(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    with pytest.raises(RunRefused) as unreviewed:
        profile(BASIC, markers=False).deidentify_tree(scans, tmp_path / "clean")
    (tmp_path / "clean.run" / "decisions.jsonl").touch()
    with pytest.raises(RunRefused, match="is open again in the review"):
        profile(BASIC, markers=False).deidentify_tree(scans, tmp_path / "clean")
    assert "review" not in str(unreviewed.value)


def test_a_refused_run_leaves_no_secret_behind(
    make: Any, profile: Any, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(keys))
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    needs_secret = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED)
    with pytest.raises(RunRefused, match="overwrite"):
        needs_secret.deidentify_tree(scans, tmp_path / "clean")
    assert list(keys.iterdir()) == []
    needs_secret.deidentify_tree(scans, tmp_path / "clean", overwrite=True)
    assert len(list(keys.iterdir())) == 1


def test_a_secret_is_not_kept_among_originals_results_or_evidence(
    make: Any, profile: Any, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("scans/mine.secret", "clean/mine.secret", "clean.run/mine.secret"):
        secret = tmp_path / place
        secret.parent.mkdir(exist_ok=True)
        secret.write_bytes(bytes(range(65, 97)))
        with pytest.raises(ValueError, match="secret is inside"):
            profile(BASIC, secret=secret).deidentify_tree(scans, tmp_path / "clean", workers=1)
        secret.unlink()
    without_key = make({"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}, text=SHIFTED)
    for folder in (scans, tmp_path / "clean"):
        monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(folder / "keys"))
        with pytest.raises(ValueError, match="the key folder is inside"):
            without_key.deidentify_tree(scans, tmp_path / "clean", workers=1)


def test_a_second_run_on_one_destination_is_refused_by_the_name_of_the_first(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    refused: list[str] = []

    def second(_: object) -> None:
        for run in (None, tmp_path / "another.run"):
            with pytest.raises(RunInProgress) as caught:
                profile(BASIC).deidentify_tree(scans, tmp_path / "clean", run=run)
            refused.append(str(caught.value))

    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1, on_progress=second)
    assert "the run 20" in refused[0]
    assert "at work on this destination" in refused[1]


KILLS = int(os.environ.get("HEALTHCARE_DEID_KILLS", "6"))
"""For each number of workers; 17 make fifty, in some five minutes."""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.timeout(150 * KILLS)
def test_kill_9_at_any_moment_and_the_same_command_ends_as_an_undisturbed_run(
    profile: Any,
    tmp_path: Path,
    contents: Contents,
    workers: int,
    instance_file: Callable[..., bytes],
    put: Callable[[Path, bytes], None],
) -> None:
    scans, expected = tmp_path / "scans", tmp_path / "expected"
    for number in range(400):
        put(scans / f"{number}.dcm", instance_file(number % 350, number % 3, TextValue="x" * 20_000))
    whole = profile(BASIC).deidentify_tree(scans, expected, workers=1)
    command = [sys.executable, "-c", RUN, str(scans)]
    moments = random.Random(workers)
    unfinished = 0
    for attempt in range(KILLS):
        clean = tmp_path / f"clean{attempt}"
        process = subprocess.Popen([*command, str(clean), BASIC, str(workers)])
        enough = moments.randrange(300)  # results, at some moment after which it dies
        while process.poll() is None and sum(1 for _ in clean.rglob("*.dcm")) < enough:
            time.sleep(0.005)
        process.kill()
        unfinished += process.wait() != 0
        report = profile(BASIC).deidentify_tree(scans, clean, workers=workers)
        assert report.succeeded + report.skipped == whole.succeeded
        assert (report.duplicates, report.failed) == (whole.duplicates, whole.failed)
        assert contents(clean) == contents(expected)
        assert results(tmp_path / f"clean{attempt}.run" / "record.jsonl") == results(
            tmp_path / "expected.run" / "record.jsonl"
        )
        assert len((tmp_path / f"clean{attempt}.run" / "record.jsonl").read_bytes().splitlines()) == 351
    assert unfinished


def test_other_pseudonyms_and_other_masks_are_refused_and_a_table_that_grew_is_not(
    make: Any, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None], tmp_path: Path
) -> None:
    put(tmp_path / "scans" / "1.dcm", instance_file(1))
    table = tmp_path / "table.csv"

    def run(**options: Any) -> int:
        deidentifier = make({"filterProfile": BASIC}, secret=b"a secret of this project", **options)
        report: Any = deidentifier.deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
        return int(report.succeeded)

    assert run(pseudonyms=Pseudonyms.sequential(table, "SITE-")) == 1
    put(tmp_path / "scans" / "2.dcm", instance_file(2))
    assert run(pseudonyms=Pseudonyms.sequential(table, "SITE-")) == 1
    for other in (Pseudonyms.sequential(table, "TRIAL-"), Pseudonyms.keyed("SITE-"), None):
        with pytest.raises(RunRefused, match="pseudonyms"):
            run(pseudonyms=other)
    masks = tmp_path / "masks.json"
    masks.write_text('[{"modality": "US", "regions": [{"x": 0, "y": 0, "width": 64, "height": 16}]}]')
    with pytest.raises(RunRefused, match="masks"):
        run(pseudonyms=Pseudonyms.sequential(table, "SITE-"), masks=str(masks))
