"""Comparison as an HTML page: every attribute, and pictures side by side with sliders for frame, window and level."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid._html import page_of, table, wrapped
from healthcare_deid.report.compare import COLUMNS, Verdict, pixels_told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.report.compare import Comparison, PixelChange

_MOST = 12
"""Number of attributes per verdict named above the pictures."""
_SCRIPT = """
for (const view of document.querySelectorAll(".view")) {
  const [frame, level, width] = view.querySelectorAll("input");
  const show = () => {
    view.querySelectorAll(".pair").forEach((pair, index) => { pair.hidden = index !== Number(frame.value); });
    view.querySelectorAll("img").forEach((image) => {
      image.style.filter = `brightness(${level.value}%) contrast(${width.value}%)`;
    });
  };
  [frame, level, width].forEach((input) => input.addEventListener("input", show));
  show();
}
"""


class Pair(NamedTuple):
    """Original and its counterpart on the page.

    Attributes:
        before: Name of the original.
        after: Name of the counterpart.
        comparison: Their comparison.
        frames: Frame number, and its pictures before and after as data URLs.
    """

    before: str
    after: str
    comparison: Comparison
    frames: Sequence[tuple[int, str, str]] = ()


def page(pairs: Sequence[Pair], alone: Sequence[tuple[str, str]], *, whole: bool = True) -> str:
    """Return the page; ``whole=False`` returns its body without the list of every element.

    Args:
        pairs: Instances compared.
        alone: Originals without a counterpart, and why they failed in the run, if they did.
        whole: Whether to return the whole page.
    """
    counted = [(verdict, counts) for verdict, counts in _by_verdict(pairs).items() if counts]
    heads = ["", "elements", "which"]
    few = table(heads, [(verdict, counts.total(), _names(counts, _MOST)) for verdict, counts in counted])
    all_of_them = table(heads, [(verdict, counts.total(), _names(counts)) for verdict, counts in counted])
    missing = table(["without a counterpart", "failed in the run"], alone) if alone else ""
    told = (
        f"<p>{len(pairs)} instance{'s' * (len(pairs) != 1)} compared.</p>{few}"
        f"<details><summary>every attribute</summary>{all_of_them}</details>{missing}"
    )
    if not whole:
        return wrapped(told)
    return page_of("Before and after", wrapped(told + "".join(map(_section, pairs))), script=_SCRIPT)


def pictures_of(change: PixelChange, frames: Sequence[tuple[int, str, str]]) -> str:
    """Return frames before and after as rows of pairs, with boxes around the changes."""
    return "".join(_frame(change, *frame) for frame in frames)


def _names(counts: Counter[str], most: int | None = None) -> str:
    """Return attributes with their number of occurrences, most frequent first."""
    listed = [f"{name} × {count}" if count > 1 else name for name, count in counts.most_common(most)]
    more = [f"… {len(counts) - most} more"] if most is not None and len(counts) > most else []
    return ", ".join([*listed, *more])


def _by_verdict(pairs: Sequence[Pair]) -> dict[Verdict, Counter[str]]:
    counts = {verdict: Counter[str]() for verdict in Verdict}
    for pair in pairs:
        for element in pair.comparison.elements:
            counts[element.verdict][element.name] += 1
    return counts


def _section(pair: Pair) -> str:
    comparison = pair.comparison
    elements = table(COLUMNS, [[*row.values()] for row in comparison.rows()])
    return (
        f'<h2>{escape(pair.before)}</h2><p style="overflow-wrap:anywhere">→ {escape(pair.after)}</p>'
        f"<p>{escape(pixels_told(comparison))}</p>{_view(pair)}"
        f"<details><summary>{len(comparison.elements)} elements</summary>{elements}</details>"
    )


def _view(pair: Pair) -> str:
    change = pair.comparison.pixels
    if not pair.frames or change is None:
        return ""
    shown = pictures_of(change, pair.frames)
    last = len(pair.frames) - 1
    sliders = (
        f'<label>frame <input type="range" min="0" max="{last}" value="0"></label> '
        '<label>level <input type="range" min="10" max="400" value="100"></label> '
        '<label>window <input type="range" min="10" max="800" value="100"></label>'
    )
    return f'<div class="view"><p>{sliders}</p>{shown}</div>'


def _frame(change: PixelChange, number: int, before: str, after: str) -> str:
    boxes = change.boxes.get(number, ())
    sides = "".join(_side(picture, boxes) for picture in (before, after))
    return f'<div class="pair"><p>frame {number + 1} of {change.frames}</p><div class="two">{sides}</div></div>'


def _side(picture: str, boxes: Sequence[tuple[int, int, int, int]]) -> str:
    marks = "".join(f'<rect x="{x}" y="{y}" width="{width}" height="{height}"/>' for x, y, width, height in boxes)
    size, _, url = picture.partition(" ")
    return f'<div class="side"><img alt="" src="{url}"><svg viewBox="0 0 {size.replace("x", " ")}">{marks}</svg></div>'
