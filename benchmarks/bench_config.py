"""How long it takes to import the config, and to validate and dump one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Row = tuple[str, float, str, float]
"""Name, value, unit, target."""

_IMPORT = """
import time
start = time.perf_counter()
from healthcare_deid import DeidentifyConfig
print(time.perf_counter() - start)
"""

_BODY = {
    "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
    "text": {
        "additionalTransformations": [
            {"infoTypes": ["PERSON_NAME"], "redactConfig": {}},
            {"infoTypes": ["PHONE_NUMBER"], "characterMaskConfig": {"maskingCharacter": "*"}},
            {
                "infoTypes": ["DATE", "DATE_OF_BIRTH"],
                "dateShiftConfig": {"cryptoKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
            },
        ]
    },
    "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"},
}
"""The tutorial's second use case, its largest config."""


def measure() -> list[Row]:
    """Return what was measured; medians, so that a busy machine shows less."""
    from healthcare_deid import presets
    from healthcare_deid.config.deidentify import DeidentifyConfig

    keep_list = presets.keep_tags_and_redact_all_text().to_api()
    text = json.dumps(_BODY)

    def first() -> None:
        DeidentifyConfig.from_api(keep_list).to_api()

    def second() -> None:
        DeidentifyConfig.from_api(_BODY).to_api()

    def parsed() -> None:
        DeidentifyConfig.from_json(text).to_api()

    return [
        ("from healthcare_deid import DeidentifyConfig", _import_ms(), "ms", 130.0),
        ("validate and dump the tutorial's config II", _microseconds(second), "µs", 50.0),
        ("validate and dump the tutorial's config I (15 tags)", _microseconds(first), "µs", 50.0),
        ("the same from JSON text", _microseconds(parsed), "µs", 75.0),
        ("checks() of the tutorial's config II", _microseconds(DeidentifyConfig.from_api(_BODY).checks), "µs", 1000.0),
    ]


def _import_ms() -> float:
    command = [sys.executable, "-c", _IMPORT]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(7)]
    return median(float(run.stdout) for run in runs) * 1000


def _microseconds(call: Callable[[], object]) -> float:
    for _ in range(200):
        call()
    samples: list[float] = []
    for _ in range(30):
        start = time.perf_counter()
        for _ in range(100):
            call()
        samples.append((time.perf_counter() - start) / 100)
    return median(samples) * 1e6


if __name__ == "__main__":
    for name, value, unit, target in measure():
        print(f"{name:<55} {value:9.1f} {unit:<3} (target {target:g})")
