"""Audit as an HTML page, for the person who signs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from healthcare_deid._html import table, wrapped
from healthcare_deid.config.checks.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST = 2000


class Told(NamedTuple):
    """Contents of the page.

    Attributes:
        instances: Number of instances read.
        counts: Severity, number of findings, number of instances with any.
        confidence: What was looked for.
        promises: Rules, and the number of instances measured by them.
        kinds: Severity, kind, and number of instances.
        unreadable: Files that were not read, and why.
        rows: Every finding, accepted ones included.
        unmatched: Acceptances that fit no finding.
    """

    instances: int
    counts: Sequence[tuple[object, ...]]
    confidence: Sequence[str]
    promises: Mapping[str, int]
    kinds: Sequence[tuple[object, ...]]
    unreadable: Mapping[str, str]
    rows: list[dict[str, Any]]
    unmatched: Sequence[str] = ()


def body(told: Told) -> str:
    """Return the body of the page, as notebooks show it."""
    looked = "".join(f"<li>{escape(line)}</li>" for line in told.confidence)
    kinds = table(["severity", "kind", "instances"], told.kinds, severity=0) if told.kinds else "<p>Nothing.</p>"
    unread = table(["not read", "why"], told.unreadable.items()) if told.unreadable else ""
    return wrapped(
        f"<p>{told.instances} instances, {len(told.unreadable)} files not read.</p>"
        f"{table(['', 'findings', 'instances'], told.counts, severity=0)}"
        f"<h2>What was looked for</h2><ul class='note'>{looked}</ul>"
        f"<h2>Measured by</h2>{table(['rules', 'instances'], told.promises.items())}"
        f"<h2>Found</h2>{kinds}{unread}{_findings(told.rows)}{_accepted(told)}"
    )


def findings_table(rows: list[dict[str, Any]]) -> str:
    """Return the findings alone, as notebooks show them."""
    return wrapped(_findings(rows) or "<p>Nothing was found. This does not prove that nobody can be identified.</p>")


def _accepted(told: Told) -> str:
    rows = [
        (row["severity"], row["file"], row["kind"], row["path"], row["accepted_by"], row["reason"])
        for row in told.rows
        if row["accepted_by"]
    ]
    heads = ["severity", "file", "kind", "where", "accepted by", "reason"]
    page = f"<h2>Accepted: {len(rows)}, not counted above</h2>{table(heads, rows[:_MOST])}" if rows else ""
    if told.unmatched:
        lines = "".join(f"<li>{escape(line)}</li>" for line in told.unmatched)
        page += f"<h2>Acceptances that fit nothing any more</h2><ul>{lines}</ul>"
    return page


def _findings(rows: list[dict[str, Any]]) -> str:
    rows = [row for row in rows if not row["accepted_by"]]
    if not rows:
        return ""
    ordered = sorted(rows, key=lambda row: Severity(row["severity"]).rank)
    shown = [
        (row["severity"], row["file"], row["kind"], row["path"], row["shape"], _place(row), row["why"])
        for row in ordered[:_MOST]
    ]
    more = f"<p>… and {len(rows) - _MOST} more; the JSON and CSV have all.</p>" if len(rows) > _MOST else ""
    return table(["severity", "file", "kind", "where", "shape", "box", "why"], shown, severity=0) + more


def _place(row: dict[str, Any]) -> str:
    return "" if row["frame"] == "" else "frame {frame} at {x}, {y}, {width} × {height}".format(**row)
