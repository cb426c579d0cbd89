"""A run's folder as a run leaves it, made by hand."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
UNREADABLE = {
    "frame": 0,
    "x": 5,
    "y": 6,
    "width": 30,
    "height": 10,
    "rule": "unreadable",
    "confidence": 0.9,
    "path": "",
}


def make_run(folder: Path) -> Path:
    """Write originals, three results and the run's folder; return the folder of results."""
    scans, clean, run = folder / "scans", folder / "clean", folder / "clean.run"
    scans.mkdir()
    run.mkdir()
    lines: list[dict[str, Any]] = [{"result": None, "record": 1, "manifest": ""}]
    engine = Deidentifier(CONFIG)
    said: list[tuple[list[dict[str, Any]], Any]] = [
        ([], {"id": "none", "list": []}),
        ([], {"id": "one", "list": ["look here"]}),
        ([UNREADABLE], "none"),
    ]
    for number, (sample, (redactions, warnings)) in enumerate(zip(sample_dicom(), said, strict=False)):
        path = scans / sample.name
        sample.dataset.save_as(path, enforce_file_format=True)
        engine.deidentify_file(path, clean / "study" / f"{number}.dcm")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = {"result": f"study/{number}.dcm", "source": digest, "redactions": redactions, "warnings": warnings}
        lines.append(entry)
    (run / "record.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"result":"cut o')
    settings = {"apiVersion": "v1", "config": CONFIG.to_api(), "options": {"edition": "2018e-google", "secret": None}}
    (run / "manifest.json").write_text(json.dumps({"schema": 1, "settings": settings}))
    return clean
