"""Take the screenshots in ``docs/images`` of every page that the package makes, and of what ``masks learn`` proposes.

    python tools/take_screenshots.py [--to FOLDER] [NAME ...]

It needs Chromium. The pages are of the sample scans, with invented patients. Look at every picture before you commit
it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.pixels.masks.learning import propose
from healthcare_deid.report import Review, ReviewServer, audit_tree, compare_tree, preview
from healthcare_deid.testing import sample_dicom, write_samples

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MOST = 150_000
"""Bytes of a picture."""
_COLORS = (256, 128, 64, 32)


def audit_page(folder: Path) -> str:
    """Audit originals that were never de-identified: there is something to see."""
    return _written(folder / "audit.html", audit_tree(folder / "scans").to_html())


def comparison_page(folder: Path) -> str:
    """Compare the originals with the results of a run; the page says the paths that it is given."""
    with chdir(folder):
        return _written(folder / "comparison.html", compare_tree("scans", "clean").to_html(pictures=2))


def demo_page(folder: Path) -> str:
    """Make the page of ``healthcare-deid demo``."""
    command = [sys.executable, "-m", "healthcare_deid", "demo", "--quiet", str(folder / "demo")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - this package's own
    return next((folder / "demo").glob("*.html")).as_uri()


def preview_page(folder: Path) -> str:
    """Make what a notebook shows of an instance."""
    sample = next(one for one in sample_dicom() if one.name == "us-1.dcm")
    shown = preview(sample.dataset, presets.remove_metadata_and_all_text())
    return _written(folder / "preview.html", f"<!doctype html><meta charset=utf-8>{shown._repr_html_()}")


def run_report_page(folder: Path) -> str:
    """Take the report that the run has made."""
    return (folder / "clean.run" / "report.html").as_uri()


PAGES: dict[str, tuple[Callable[[Path], str], int, int]] = {
    "audit": (audit_page, 1100, 900),
    "comparison": (comparison_page, 1100, 900),
    "demo": (demo_page, 1100, 900),
    "preview": (preview_page, 1100, 800),
    "run-report": (run_report_page, 900, 1300),
}
"""Pages by the picture's name: what makes them, and the window's width and height."""
REVIEW = ("review", 1300, 720)
MASKS = "masks"


def masks_picture(path: Path) -> None:
    """Write the picture that ``masks learn`` makes of a device, of which it needs two instances."""
    sample = next(one.dataset for one in sample_dicom() if one.name == "us-1.dcm")
    (proposal,) = propose([sample, sample])
    proposal.picture.save(path)


def take(url: str, path: Path, width: int, height: int) -> None:
    """Write the picture of a page.

    Raises:
        RuntimeError: Chromium is not installed.
    """
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        raise RuntimeError("chromium is not installed")
    command = [binary, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-proxy-server"]
    command += ["--virtual-time-budget=10000", f"--window-size={width},{height}", f"--screenshot={path}", url]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - pages made above


def shrink(path: Path) -> None:
    """Write a picture again with as few colors as it needs to be small.

    Raises:
        RuntimeError: It is too large with the fewest.
    """
    picture = Image.open(path).convert("RGB")
    for colors in _COLORS:
        picture.quantize(colors, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= MOST:
            return
    raise RuntimeError(f"{path.name} has {path.stat().st_size} bytes: make its window smaller")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=IMAGES)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_samples(folder / "scans")
        Deidentifier(presets.remove_metadata_and_all_text()).deidentify_tree(folder / "scans", folder / "clean")
        wanted: list[str] = given.names or [*PAGES, REVIEW[0], MASKS]
        for name in wanted:
            path: Path = given.to / f"{name}.png"
            if name == REVIEW[0]:
                review = Review(folder / "clean", originals=folder / "scans")
                with ReviewServer(review) as server:
                    take(server.url, path, *REVIEW[1:])
            elif name == MASKS:
                masks_picture(path)
            else:
                make, width, height = PAGES[name]
                take(make(folder), path, width, height)
            shrink(path)


def _written(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return path.as_uri()


if __name__ == "__main__":
    main()
