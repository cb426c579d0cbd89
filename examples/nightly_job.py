"""Unattended: de-identify every dataset whose name starts with ``raw-``, and believe only what was seen.

    python examples/nightly_job.py --project my-project --location us-central1 --journal journal.json

The journal holds the names of the operations that were started. A run that was killed is simply started again: it takes
up what is under way instead of starting it twice. Exit code 0 says that every instance of every dataset was
de-identified. `test_nightly_job.py`, beside this file, runs it on the emulator, without a Google account.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from healthcare_deid import DeidClient, DeidentifyConfig, DeidentifySummary, Operation, as_completed, presets
from healthcare_deid.errors import AlreadyExists, DeidError

SOURCE, RESULT = "raw-", "clean-"


def nightly_job(client: DeidClient, config: DeidentifyConfig, journal: Path) -> dict[str, str]:
    """De-identify every dataset ``raw-X`` into ``clean-X`` that has none yet.

    Returns:
        What became of each dataset: ``SUCCEEDED``, or why not. No name in it comes from an image.
    """
    started: dict[str, str] = json.loads(journal.read_text()) if journal.exists() else {}
    names = [str(dataset.name).rpartition("/")[2] for dataset in client.list_datasets()]
    outcome: dict[str, str] = {}
    waiting: dict[str, Operation[DeidentifySummary]] = {}
    for name in names:
        if not name.startswith(SOURCE):
            continue
        try:
            if name in started:
                waiting[name] = client.operation(started[name])
            elif (result := name.replace(SOURCE, RESULT, 1)) not in names:
                waiting[name] = client.deidentify_dataset(name, result, config)
                started[name] = waiting[name].name
                save(journal, started)
            else:
                outcome[name] = "SKIPPED: the result exists, and this job did not make it"
        except AlreadyExists:
            outcome[name] = "SKIPPED: the result was made by somebody else in the meantime"
        except DeidError as error:  # one dataset that cannot be started stops no other
            outcome[name] = f"NOT STARTED: {type(error).__name__}: {error}"

    by_operation = {operation.name: name for name, operation in waiting.items()}
    for operation in as_completed(waiting.values()):
        name = by_operation[operation.name]
        counters = operation.progress
        outcome[name] = f"{operation.state}"
        if operation.state != "SUCCEEDED":  # PARTIAL too: instances are missing in the result
            outcome[name] += f": {counters.success} done, {counters.failure} failed, log: {operation.logs_url}"
    return outcome


def save(journal: Path, started: dict[str, str]) -> None:
    """Write beside, then rename: a journal that is there is whole."""
    beside = journal.with_suffix(".part")
    beside.write_text(json.dumps(started, indent=2))
    beside.replace(journal)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", required=True)
    parser.add_argument("--location", required=True)
    parser.add_argument("--journal", type=Path, default=Path("journal.json"))
    arguments = parser.parse_args()
    with DeidClient(arguments.project, arguments.location) as client:
        outcome = nightly_job(client, presets.remove_metadata_and_all_text(), arguments.journal)
    for name, what in sorted(outcome.items()):
        print(f"{name}: {what}")
    return 0 if all(what == "SUCCEEDED" for what in outcome.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
