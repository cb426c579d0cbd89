"""Share of the public sets' identifiers that is found: both halves, by type and by set, and how long a text takes.

No text is kept in this repository and none is downloaded: ``phi_public_sets`` reads what the packages of the
dependency group ``texts`` ship. ``phi_public_text`` says what counts.

``python benchmarks/phi_public.py`` prints the figures; ``--misses`` prints what was missed or found wrongly in the
development half. Of the held-out half no text is ever printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phi_examples import Example, Score, score
from phi_public_sets import load, missing
from phi_public_text import FAMILIES, counted
from timing import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from phi_examples import Span
    from phi_public_text import PublicText

    Find = Callable[[str], Iterable[Span]]


@dataclass(frozen=True)
class Result:
    """Figures of a detector on texts: all types together and each alone."""

    texts: int
    marked: int
    total: Score
    by_type: dict[str, tuple[int, Score]]


def result(examples: Sequence[PublicText], found: dict[str, list[Span]]) -> Result:
    """Score what was found in each text."""
    by_text = {example.text: list(counted(example, found[example.text])) for example in examples}
    marked = [FAMILIES.get(kind, kind) for example in examples for *_, kind in example.spans]

    def of(kind: str | None) -> Score:
        alone = [Example(example.text, _only(example.spans, kind)) for example in examples]
        return score(alone, lambda text: _only(by_text[text], kind), families=FAMILIES)

    return Result(
        len(examples), len(marked), of(None), {kind: (marked.count(kind), of(kind)) for kind in sorted(set(marked))}
    )


def covered(examples: Iterable[PublicText], found: dict[str, list[Span]]) -> float:
    """Return how much of what is marked goes, whatever it is taken for."""
    anything = [Example(example.text, tuple((*span[:2], "ANY") for span in example.spans)) for example in examples]
    return score(anything, lambda text: [(*span[:2], "ANY") for span in found[text]], families={}).recall


def _only(spans: Iterable[Span], kind: str | None) -> tuple[Span, ...]:
    return tuple(span for span in spans if kind is None or FAMILIES.get(span[2], span[2]) == kind)


@dataclass(frozen=True)
class Found:
    """Findings of a detector in each text, and the processor time it took over each.

    Attributes:
        spans: The findings, by text.
        seconds: The seconds, by text.
    """

    spans: dict[str, list[Span]]
    seconds: dict[str, float]


def run(find: Find, texts: Iterable[PublicText]) -> Found:
    """Run a detector over every text, each of them new to it."""
    list(find("warm up: Dr. Jane Doe, 1 January 2001"))
    found = Found({}, {})
    for text in texts:
        begun = time.process_time()
        found.spans[text.text] = list(find(text.text))
        found.seconds[text.text] = time.process_time() - begun
    return found


def rows(name: str, find: Find) -> list[Row]:
    """Return the figures of both halves: English together, by type and by set, and how long a text takes."""
    texts = load()
    made: list[Row] = []
    found = run(find, texts)
    for held_out, half in ((False, "development half"), (True, "held-out half")):
        of_half = [text for text in texts if text.held_out is held_out]
        english = [text for text in of_half if text.source.english]
        total = result(english, found.spans)
        note = f"public sets, English, {half}: {total.texts} texts, {total.marked} marked"
        made += [
            Row(f"{name}: precision", total.total.precision, "", "≥ 0.93", note),
            Row(f"{name}: recall", total.total.recall, "", "", note),
            Row(f"{name}: F1", total.total.f1, "", "≥ 0.93", note),
            Row(f"{name}: recall, any infoType", covered(english, found.spans), "", "", note),
        ]
        for kind, (marked, one) in total.by_type.items():
            figures = f"{half}: {marked} marked, precision {one.precision:.3f}, recall {one.recall:.3f}"
            made.append(Row(f"{name}: F1, {kind}", one.f1, "", "≥ 0.75", figures))
        for source in sorted({text.source.name for text in of_half}):
            of_set = result([text for text in of_half if text.source.name == source], found.spans)
            figures = (
                f"{half}: {of_set.texts} texts, {of_set.marked} marked, precision {of_set.total.precision:.3f},"
                f" recall {of_set.total.recall:.3f}"
            )
            made.append(Row(f"{name}: F1, {source}", of_set.total.f1, "", "", figures))
    absent = missing()
    if absent:
        made.append(Row(f"{name}: sets left out", len(absent), "", "0", f"not installed: {', '.join(absent)}"))
    return [*made, *_speed(name, found)]


def _speed(name: str, found: Found) -> list[Row]:
    if not found.seconds:
        return []
    each = list(found.seconds.values())
    letters = sum(map(len, found.seconds)) / len(each)
    note = f"public sets, both halves, processor time, every text new; {letters:.0f} characters a text in the mean"
    return [
        Row(f"{name}: a text, mean", statistics.mean(each) * 1000, "ms", "≤ 0.3 ms", note),
        Row(f"{name}: a text, median", statistics.median(each) * 1000, "ms", "", note),
        Row(f"{name}: 100 characters", sum(each) / sum(map(len, found.seconds)) * 1e5, "ms", "", note),
    ]


def _print(title: str, measured: Result) -> None:
    print(f"\n{title}: {measured.texts} texts, {measured.marked} marked\n")
    print("| type | marked | precision | recall | F1 |\n|---|---|---|---|---|")
    for kind, (marked, one) in [*measured.by_type.items(), ("**all**", (measured.marked, measured.total))]:
        print(f"| {kind} | {marked} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} |")


def main(arguments: list[str]) -> int:
    """Print the figures of both halves by type and by set, and on request what was missed in development."""
    from bench_text import finder

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--misses", action="store_true", help="print what was missed or found wrongly in development")
    parser.add_argument("--set", default="", help="only the sets whose name starts so")
    options = parser.parse_args(arguments)
    texts = [text for text in load() if text.source.name.startswith(options.set)]
    found = run(finder(), texts).spans
    for held_out, half in ((False, "development"), (True, "held out")):
        of_half = [text for text in texts if text.held_out is held_out]
        for name in sorted({text.source.name for text in of_half}):
            _print(f"{half}, {name}", result([text for text in of_half if text.source.name == name], found))
        _print(f"{half}, English", result([text for text in of_half if text.source.english], found))
    if options.misses:
        _misses([text for text in texts if not text.held_out], found)
    return 0


def _misses(development: list[PublicText], found: dict[str, list[Span]]) -> None:
    for kind, (_, one) in result(development, found).by_type.items():
        for what, items in (("missed", one.missed), ("found wrongly", one.false_alarms)):
            for text, value, _ in items:
                at = max(text.find(value), 0)
                around = text[max(at - 60, 0) : at + len(value) + 40].replace("\n", "⏎").replace("\r", "")
                print(f"{kind}\t{what}\t{value!r}\t{around}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
