"""What importing costs, in fresh processes, beside the libraries underneath."""

from __future__ import annotations

from timing import Row, fresh_process


def measure() -> list[Row]:
    seconds = fresh_process(
        {
            "import healthcare_deid": "import healthcare_deid",
            "from healthcare_deid import DeidentifyConfig": "from healthcare_deid import DeidentifyConfig",
            "from healthcare_deid import DeidClient": "from healthcare_deid import DeidClient",
            "import pydantic (BaseModel)": "from pydantic import BaseModel",
            "import googleapiclient.discovery": "import googleapiclient.discovery",
            "import google.api_core.operation": "import google.api_core.operation",
        }
    )
    targets = {
        "import healthcare_deid": "≤ 15 ms",
        "from healthcare_deid import DeidentifyConfig": "≤ 130 ms",
    }
    note = "fresh process, median of 9, interleaved"
    return [Row(name, value * 1000, "ms", targets.get(name, ""), note) for name, value in seconds.items()]
