"""How long it takes to import the config, and to validate, dump and check one."""

from __future__ import annotations

import json

from timing import Row, fresh_process, interleaved

BODY = {
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
    from healthcare_deid import presets
    from healthcare_deid.config.v1.deidentify import DeidentifyConfig

    keep_list = presets.keep_tags_and_redact_all_text().to_api()
    text = json.dumps(BODY)
    config = DeidentifyConfig.from_api(BODY)
    calls = {
        "validate and dump the tutorial's config II": lambda: DeidentifyConfig.from_api(BODY).to_api(),
        "validate and dump the tutorial's config I (15 tags)": lambda: DeidentifyConfig.from_api(keep_list).to_api(),
        "validate and dump config II, from JSON text": lambda: DeidentifyConfig.from_json(text).to_api(),
        "checks() of config II": config.checks,
        "json.dumps of config II, to compare": lambda: json.dumps(BODY),
    }
    targets = {name: "≤ 50 µs" for name in calls if name.startswith("validate")}
    used = interleaved(calls, rounds=21, number=200)
    rows = [Row(name, value * 1e6, "µs", targets.get(name, ""), "median of 21 × 200") for name, value in used.items()]
    imports = fresh_process(
        {
            "from healthcare_deid import DeidentifyConfig": "from healthcare_deid import DeidentifyConfig",
            "import pydantic (BaseModel), to compare": "from pydantic import BaseModel",
        }
    )
    for name, value in imports.items():
        target = "≤ 130 ms" if "DeidentifyConfig" in name else ""
        rows.append(Row(name, value * 1000, "ms", target, "fresh process, median of 9, interleaved"))
    return rows
