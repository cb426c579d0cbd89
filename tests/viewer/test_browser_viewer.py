"""A DICOMweb viewer in a real browser, on another origin than the emulator: what a person sees before and after."""

from __future__ import annotations

import io
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from healthcare_deid import DeidClient, presets
from healthcare_deid.emulator import Emulator
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.viewer.conftest import Browser

    from healthcare_deid.emulator.http.server import Server

pytestmark = pytest.mark.slow

SAMPLES = {sample.name.removesuffix(".dcm"): sample for sample in sample_dicom()}
FRIEND = "http://viewer.example"


@dataclass(frozen=True)
class Lab:
    """An emulator on a port: a store for each sample in ``dataset1``, and its like in ``clean``."""

    emulator: Emulator
    server: Server

    def roots(self, sample: str, server: Server | None = None) -> dict[str, str]:
        """Return where a viewer finds a sample, before and after."""
        location = f"{(server or self.server).url}/v1/projects/MyProj/locations/us-central1"
        datasets = {"before": "dataset1", "after": "clean"}
        return {side: f"{location}/datasets/{name}/dicomStores/{sample}/dicomWeb" for side, name in datasets.items()}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """De-identify the samples through the client, over the emulator's port, as the tutorial's use case I does."""
    folder = tmp_path_factory.mktemp("viewer")
    with Emulator(folder / "lab") as emulator, emulator.server(port=0) as server:
        with DeidClient("MyProj", "us-central1", endpoint=server.url) as client:
            client.create_dataset("dataset1").result(timeout=60)
            for name, sample in SAMPLES.items():
                sample.dataset.save_as(folder / sample.name, enforce_file_format=True)
                client.create_dicom_store(f"dataset1/{name}")
                client.upload(f"dataset1/{name}", folder / sample.name)
            config = presets.remove_metadata_and_all_text()
            operation = client.deidentify_dataset("dataset1", "clean", config)
            operation.result(timeout=120, raise_on_partial=True)
        yield Lab(emulator, server)


def show(browser: Browser, origin: str, roots: dict[str, str]) -> dict[str, Any]:
    """Open the viewer on a sample and return each side's caption and picture, once both are drawn."""
    browser.open(f"{origin}/viewer.html?{urlencode(roots)}")
    before, after = browser.run("return window.shown")
    return {"before": before, "after": after}


def pixels(side: dict[str, str]) -> NDArray[np.int16]:
    """Return a side's canvas, rows × columns × RGB, and refuse one that shows what is behind it."""
    picture = Image.open(io.BytesIO(b64decode(side["picture"].partition(",")[2])))
    drawn = np.asarray(picture.convert("RGBA"), dtype=np.int16)
    # Where an image lies in the patient is rounded to the canvas's pixels: it can miss the first row and column.
    assert drawn[1:, 1:, 3].min() == 255
    return drawn[..., :3]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_viewer_draws_the_text_before_and_a_dark_box_after(
    browser: Browser, viewer_port: int, lab: Lab, artifacts: Path, name: str
) -> None:
    sample = SAMPLES[name]
    shown = show(browser, f"http://localhost:{viewer_port}", lab.roots(name))
    (artifacts / f"viewer-{name}.png").write_bytes(browser.picture_of("main"))
    before, after = pixels(shown["before"]), pixels(shown["after"])
    assert before.shape == after.shape == (sample.dataset.Rows, sample.dataset.Columns, 3)
    for x, y, width, height in sample.text_boxes.values():
        ink, cover = (picture[y : y + height, x : x + width] for picture in (before, after))
        assert np.ptp(ink) > 100
        assert np.ptp(cover.reshape(-1, 3), axis=0).max() == 0
        assert cover.max() < 32
    # The rest is the same picture; its contrast may differ, since metadata that sets it is gone.
    rest = after.any(axis=-1)
    assert rest.mean() > 0.2
    assert after[rest].std() > 10
    assert np.corrcoef(before[rest].ravel(), after[rest].ravel())[0, 1] > 0.95


def test_the_search_names_the_patient_before_and_nobody_after(browser: Browser, viewer_port: int, lab: Lab) -> None:
    for name, sample in SAMPLES.items():
        shown = show(browser, f"http://localhost:{viewer_port}", lab.roots(name))
        person = sample.person
        assert shown["before"]["caption"].split(" · ") == [
            person.name,
            person.patient_id,
            person.birth_date,
            sample.study_date,
        ]
        assert shown["after"]["caption"] == "nobody"


def test_a_page_of_another_site_reads_nothing_until_its_origin_is_named(
    browser: Browser, viewer_port: int, lab: Lab
) -> None:
    origin = f"{FRIEND}:{viewer_port}"
    browser.open(f"{origin}/viewer.html?{urlencode(lab.roots('ct-1'))}")
    refused = browser.run("return window.shown.then(() => null, (error) => String(error))")
    assert refused == "TypeError: Failed to fetch"
    with lab.emulator.server(port=0, origins=[origin]) as named:
        shown = show(browser, origin, lab.roots("ct-1", named))
    assert SAMPLES["ct-1"].person.name in shown["before"]["caption"]
