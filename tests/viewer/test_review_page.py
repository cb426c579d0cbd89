"""The review page in Chromium: a whole review by keyboard alone, and a rectangle by mouse."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread
from tests.report.run_made import CONFIG, make_report, make_run, save

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report import Decision, Review, ReviewServer
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

    from tests.viewer.conftest import Browser

pytestmark = pytest.mark.slow
COUNT = 2000
SHOWN = """
await window.ready;
const picture = document.getElementById("after");
await new Promise((done) =>
  picture.complete && picture.naturalWidth ? done() : picture.addEventListener("load", done, {once: true}));
const place = picture.getBoundingClientRect();
const scale = place.width / picture.naturalWidth;
const event = (kind, x, y) => new MouseEvent(kind, {
  bubbles: true, clientX: place.left + x * scale, clientY: place.top + y * scale});
"""
"""Waits for the picture of a result; ``event`` makes an event of the mouse by its pixels."""


def many(clean: Path) -> None:
    """Multiply the results of a run by links to the first."""
    record = clean.with_name("clean.run") / "record.jsonl"
    first = clean / "study" / "0.dcm"
    lines: list[dict[str, object]] = [{"result": None, "record": 1}]
    none = {"id": "none", "list": list[str]()}
    for number in range(COUNT):
        copy = clean / "many" / f"{number:04}.dcm"
        copy.parent.mkdir(exist_ok=True)
        copy.hardlink_to(first)
        lines.append({"result": f"many/{number:04}.dcm", "source": "", "redactions": [], "warnings": none})
    record.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.mark.timeout(1800)
def test_two_thousand_results_are_reviewed_by_keyboard_alone(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    clean = make_run(tmp_path)
    many(clean)
    review = Review(clean)
    with ReviewServer(review) as server:
        browser.open(server.url)
        assert browser.run("await window.ready; return document.getElementById('place').textContent") == (
            f"1 of {COUNT}, {COUNT} to review"
        )
        for _ in range(COUNT // 200):
            browser.run(
                """
                const key = (name) => document.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
                for (let done = 0; done < 200; done += 1) key(done % 10 === 9 ? "r" : "a");
                await window.press("n");
                """
            )
        (artifacts / "review.png").write_bytes(browser.picture_of("body"))
    assert (review.count(Decision.APPROVED), review.count(Decision.REJECTED)) == (1800, 200)
    assert review.export(tmp_path / "release") == 1800
    shutil.rmtree(tmp_path / "release")


def test_a_rectangle_that_is_drawn_is_covered(browser: Browser, tmp_path: Path, artifacts: Path) -> None:
    review = Review(make_run(tmp_path), originals=tmp_path / "scans")
    with ReviewServer(review) as server:
        browser.open(server.url)
        drawn = browser.run(
            SHOWN
            + """
            picture.dispatchEvent(event("mousedown", 40, 50));
            picture.dispatchEvent(event("mousemove", 140, 90));
            picture.dispatchEvent(event("mouseup", 140, 90));
            const marks = document.querySelectorAll("rect.new").length;
            await window.press("Enter");
            await new Promise((done) => setTimeout(done, picture.complete ? 200 : 1000));
            return [marks, document.getElementById("said").textContent];
            """
        )
        (artifacts / "review-box.png").write_bytes(browser.picture_of("body"))
    assert drawn == [1, ""]
    frame, x, y, width, height = review.items[0].boxes[-1]
    assert (frame, abs(x - 40) <= 1, abs(y - 50) <= 1) == (0, True, True)
    assert (abs(width - 100) <= 2, abs(height - 40) <= 2) == (True, True)


def test_a_box_is_removed_by_click_or_by_keyboard_and_an_instance_is_run_again(
    browser: Browser, tmp_path: Path, artifacts: Path
) -> None:
    review = Review(make_run(tmp_path), originals=tmp_path / "scans")
    with ReviewServer(review) as server:
        browser.open(server.url)
        picked = browser.run(
            SHOWN
            + """
            picture.dispatchEvent(event("mousedown", 70, 75));
            picture.dispatchEvent(event("mouseup", 70, 75));
            return document.querySelectorAll("rect.picked").length;
            """
        )
        (artifacts / "review-picked.png").write_bytes(browser.picture_of("body"))
        assert picked == 1
        assert browser.run('await window.press("Delete"); return document.getElementById("said").textContent') == ""
        assert review.items[0].boxes == [(0, 5, 6, 30, 10)]
        assert browser.run('await window.press("."); await window.press("Delete"); return document.title') == "Review"
        assert review.items[0].boxes == []
        told = 'await window.press("h"); return document.getElementById("said").textContent'
        assert "does not look for text in pixels" in browser.run(told)
        browser.run('await window.press("g"); await window.press("3"); return true')
    lines = [json.loads(line) for line in (tmp_path / "clean.run" / "decisions.jsonl").read_text().splitlines()]
    assert [line.get("why") for line in lines] == ["no-text", "no-text", None, "too-much"]
    assert review.items[0].decision is Decision.REJECTED


def test_a_result_that_changed_since_it_was_shown_is_shown_again_before_it_can_be_approved(
    browser: Browser, tmp_path: Path
) -> None:
    review = Review(make_run(tmp_path), originals=tmp_path / "scans")
    with ReviewServer(review) as server:
        browser.open(server.url)
        browser.run("await window.ready; return true")
        review.cover(0, 0, (100, 100, 50, 20))
        told = 'await window.press("a"); return document.getElementById("said").textContent'
        assert "has changed since it was shown" in browser.run(told)
        assert review.count(Decision.OPEN) == 3
        assert browser.run("return document.querySelectorAll('#boxes rect').length") == 3
        assert browser.run(told) == ""
    assert review.count(Decision.APPROVED) == 1


def test_an_instance_without_pixels_shows_its_text_and_no_broken_picture(
    browser: Browser, tmp_path: Path, artifacts: Path
) -> None:
    (tmp_path / "scans").mkdir()
    save(make_report(), tmp_path / "scans" / "sr.dcm")
    config = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    Deidentifier(config).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    with ReviewServer(Review(tmp_path / "clean", originals=tmp_path / "scans")) as server:
        browser.open(server.url)
        pictures, header, first, text = browser.run(
            """
            await window.ready;
            const rows = [...document.querySelectorAll("#text tr")].map((row) => row.textContent);
            return [document.querySelector("main").offsetHeight, document.getElementById("name").textContent,
                    document.querySelectorAll("#text tr.look").length, rows];
            """
        )
        (artifacts / "review-text.png").write_bytes(browser.picture_of("body"))
        requested = browser.run(
            "return performance.getEntriesByType('resource').filter((one) => one.name.includes('picture')).length"
        )
    assert (pictures, requested) == (0, 0)
    assert header.startswith("no picture, ")
    assert first > 0
    assert any("MRN-483920MRN-483920" in row for row in text[: 1 + first])
    assert any("Patient Ana Rivera has a nodule." in row for row in text)


def test_the_text_of_an_instance_with_pixels_is_shown_on_a_key_and_stays_until_the_key_again(
    browser: Browser, tmp_path: Path
) -> None:
    rows = 'return document.querySelectorAll("#text tr").length'
    with ReviewServer(Review(make_run(tmp_path), originals=tmp_path / "scans")) as server:
        browser.open(server.url)
        assert browser.run(f"await window.ready; {rows}") == 0
        assert browser.run(f'await window.press("t"); {rows}') > 10
        assert browser.run(f'await window.press("ArrowRight"); {rows}') > 10
        assert browser.run(f'await window.press("t"); {rows}') == 0


def test_a_picture_that_cannot_be_decoded_is_told_and_not_shown_broken(browser: Browser, tmp_path: Path) -> None:
    clean = make_run(tmp_path)
    shortened = dcmread(clean / "study" / "2.dcm")
    shortened.PixelData = b"\0\0"
    shortened.save_as(clean / "study" / "2.dcm")
    with ReviewServer(Review(clean)) as server:
        browser.open(server.url)
        notes = browser.run(
            """
            await window.ready; await window.press("]");
            return [...document.querySelectorAll("main .note")].map((note) => note.textContent);
            """
        )
        assert browser.run("return [...document.querySelectorAll('main img')].every((one) => one.hidden)")
    assert notes == ["there is no original to show", "the picture cannot be shown: it cannot be decoded"]


def test_approving_an_instance_of_which_not_all_frames_were_shown_asks_once(
    browser: Browser, tmp_path: Path, artifacts: Path
) -> None:
    (tmp_path / "scans").mkdir()
    cine = next(one for one in sample_dicom() if one.name == "us-cine.dcm")
    cine.dataset.save_as(tmp_path / "scans" / "cine.dcm", enforce_file_format=True)
    Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    review = Review(tmp_path / "clean", originals=tmp_path / "scans")
    review.cover(0, 1, (10, 10, 50, 20))
    said = 'return [document.getElementById("said").textContent, document.getElementById("decision").textContent]'
    name = 'return document.getElementById("name").textContent'
    asks = "1 of 6 frames were shown: ] shows the next one, a again approves all of them"
    with ReviewServer(review) as server:
        browser.open(server.url)
        assert browser.run(SHOWN + name).startswith("frame 1 of 6, 0 boxes in it, 1 in all, ")
        assert browser.run(f'await window.press("a"); {said}') == [asks, "open"]
        (artifacts / "review-frames.png").write_bytes(browser.picture_of("body"))
        assert browser.run(f'await window.press("]"); {name}').startswith("frame 2 of 6, 1 box in it, 1 in all, ")
        assert browser.run(f'await window.press("a"); {said}') == [asks.replace("1 of", "2 of"), "open"]
        assert browser.run(f'await window.press("a"); {said}') == ["", "approved"]
        browser.run('await window.press("u"); for (let to = 0; to < 9; to += 1) await window.press("]"); return true')
        assert browser.run(name).startswith("frame 6 of 6, ")
        assert browser.run(f'await window.press("a"); {said}') == ["", "approved"]


def test_the_page_says_at_its_start_why_nothing_can_be_run_again(browser: Browser, tmp_path: Path) -> None:
    with ReviewServer(Review(make_run(tmp_path))) as server:
        browser.open(server.url)
        told = browser.run("await window.ready; return document.getElementById('again').textContent")
    assert told == "Instances cannot be run again (keys g, h, j, Delete): the originals are needed (--originals)"
