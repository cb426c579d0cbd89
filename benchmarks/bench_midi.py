"""A set in the manner of the MIDI-B challenge: what of the identity goes, and what of the study stays.

The rows are of the tuning seed. ``MIDI_HELD_OUT=1 nox -s perf -- midi`` adds the totals of the held-out seed, and no
more than those: it is scored once. ``python benchmarks/bench_midi.py FILE`` writes the misses of the tuning seed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from midi_common import SAFE_PRIVATE
from midi_score import Scorer, Tally
from midi_set import HELD_OUT_SEED, TUNING_SEED, midi_set
from timing import Row

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from midi_score import Miss

OPTIONS: Final = (
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_safe_private",
)
REMOVED: Final = ("text_removed",)
REMOVED_WITH_HEADER: Final = ("text_removed", "header_removed", "uid_changed")
KEPT: Final = ("text_retained",)
KEPT_WITH_TAGS: Final = ("text_retained", "tag_retained", "text_notnull", "pixels_retained")
TARGETS: Final = {"text_removed": ">= .995", "text_retained": ">= .96"}
_SHOWN: Final = 6
"""Misses of one kind that the list shows."""


def measure() -> list[Row]:
    """Return the rows of this suite."""
    begun = time.perf_counter()
    tally = score(TUNING_SEED)
    rows = [*_totals("tuning seed", tally), Row("tuning seed: whole run", time.perf_counter() - begun, "s", "<= 60")]
    rows += _actions(tally)
    rows += _kinds(tally)
    if os.environ.get("MIDI_HELD_OUT"):
        rows += _totals("held-out seed", score(HELD_OUT_SEED))
    return rows


def deidentifier() -> Deidentifier:
    """Return the engine with the options that sites use: clean texts, shifted dates, patient and device described."""
    config = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
    return Deidentifier(config, options=OPTIONS, safe_private=SAFE_PRIVATE)


def score(seed: int) -> Tally:
    """De-identify a set, file by file, and score the results."""
    engine, scorer = deidentifier(), Scorer()
    with tempfile.TemporaryDirectory() as folder:
        source, destination = Path(folder, "source.dcm"), Path(folder, "result.dcm")
        for instance in midi_set(seed):
            source.write_bytes(instance.data)
            try:
                engine.deidentify_file(source, destination)
            except EngineError:
                scorer.add(instance, None)
                continue
            scorer.add(instance, destination.read_bytes())
    return scorer.tally()


def _totals(name: str, tally: Tally) -> list[Row]:
    rows: list[Row] = []
    for what, actions, target in (
        ("planted texts removed", REMOVED, ">= .995"),
        ("removed, with header and UIDs", REMOVED_WITH_HEADER, ""),
        ("phrases kept", KEPT, ">= .96"),
        ("kept, with attributes and pixels", KEPT_WITH_TAGS, ""),
    ):
        done, asked = tally.of(*actions)
        rows.append(Row(f"{name}: {what}", done / max(1, asked), "", target, f"{done:,} of {asked:,}"))
    return [*rows, Row(f"{name}: instances refused", tally.refused, "", "0")]


def _actions(tally: Tally) -> list[Row]:
    rows: list[Row] = []
    for action in tally.actions():
        done, asked = tally.of(action)
        rows.append(Row(f"action {action}", done / asked, "", TARGETS.get(action, ""), f"{done:,} of {asked:,}"))
    return rows


def _kinds(tally: Tally) -> list[Row]:
    """Return a row for each kind of which something is missed, the worst first."""
    rows: list[Row] = []
    for (action, kind), asked in tally.asked.items():
        done = tally.done[action, kind]
        if done < asked:
            rows.append(Row(f"{action}: {kind}", done / asked, "", "", f"{asked - done:,} of {asked:,} missed"))
    return sorted(rows, key=lambda row: row.value)


def misses_by_kind(tally: Tally) -> str:
    """Return a readable list of misses, some of each kind."""
    groups: defaultdict[tuple[str, str], list[Miss]] = defaultdict(list)
    for miss in tally.misses:
        groups[miss.action, miss.kind].append(miss)
    lines: list[str] = []
    for (action, kind), found in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1]))):
        lines.append(f"\n{action}: {kind}: {len(found)} of {tally.asked[action, kind]}")
        lines += [
            f"  {miss.instance} {miss.path}\n    wanted {miss.wanted!r}\n    left   {miss.left[:300]!r}"
            for miss in found[:_SHOWN]
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    measured = score(TUNING_SEED)
    Path(sys.argv[1]).write_text(misses_by_kind(measured) + "\n", encoding="utf-8")
    for row in (*_totals("tuning seed", measured), *_actions(measured), *_kinds(measured)):
        print(f"{row.name}: {row.value:.4g} {row.note}")
