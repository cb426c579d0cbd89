"""Report of a run as a page to read, print and sign."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from healthcare_deid._border import border
from healthcare_deid._html import page_of, table
from healthcare_deid._version import __version__
from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
from healthcare_deid.engine.runs.run_report import FATES, RunReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

REPORT_HTML, REPORT_CSV = "report.html", "report.csv"
_TITLE = "De-identification report"
_FACTS = (
    ("found", "DICOM files found"),
    ("succeeded", "de-identified now"),
    ("skipped", "done at an earlier start"),
    ("duplicates", "duplicates"),
    ("refused", "refused by rule"),
    ("failed", "failed"),
)
"""Counts of a start and their labels. The first is the sum of the others."""
_STYLE = """<style>
:root{--ink:#18181b;--soft:#52525b;--line:#d4d4d8;--pale:#f4f4f5;--warn:#92400e;--bad:#b91c1c}
body{background:#fff;color:var(--ink);max-width:58rem!important}
h1.hd{font:600 1.9rem/1.2 system-ui,sans-serif;letter-spacing:-.01em;margin:0 0 .3rem}
.run{font:15px/1.55 system-ui,sans-serif}
.run h2{font-size:1.12rem;line-height:1.3;margin:2.2rem 0 .5rem;padding-top:.6rem;border-top:2px solid var(--ink)}
.run p{margin:.4rem 0;max-width:44rem}.run .soft{color:var(--soft)}.run .bad{color:var(--bad);font-weight:600}
.run table{border-collapse:collapse;min-width:34rem;margin:.5rem 0;font-variant-numeric:tabular-nums}
.run th,.run td{border-bottom:1px solid var(--line);padding:.28rem .8rem .28rem 0;text-align:left;vertical-align:top}
.run th{color:var(--soft);font-weight:500;font-size:.87rem}
.run td.n,.run th.n{text-align:right;padding:.28rem .4rem .28rem 1.1rem;white-space:nowrap}
.run td:first-child,.run th:first-child{padding-right:2rem}
.passes{font-size:.87rem}.passes td,.passes th{padding-right:.6rem!important;padding-left:0!important}
.passes td:first-child{white-space:nowrap}.passes td:nth-child(2){overflow-wrap:anywhere}
.passes td.n,.passes th.n{padding-left:.6rem!important}
.run ul{margin:.4rem 0;padding-left:1.2rem;max-width:46rem}.run li{margin:.25rem 0}
.run code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(6,1fr);gap:0;margin:1.2rem 0 .4rem;border:1px solid var(--line)}
.facts div{padding:.7rem .9rem;border-right:1px solid var(--line)}.facts div:last-child{border-right:0}
.facts b{display:block;font-size:1.55rem;line-height:1.2;font-weight:600;font-variant-numeric:tabular-nums}
.facts.totals{grid-template-columns:repeat(3,1fr)}.totals b{font-size:2.1rem}
.facts span{color:var(--soft);font-size:.85rem}.facts .bad b{color:var(--bad)}
.sign{display:grid;grid-template-columns:2fr 2fr 1fr;gap:2.4rem;margin:3.2rem 0 1rem}
.sign div{border-top:1px solid var(--ink);padding-top:.3rem;color:var(--soft);font-size:.85rem}
@media (max-width:46rem){.facts{grid-template-columns:repeat(3,1fr)}.sign{grid-template-columns:1fr}
.run table{display:block;min-width:0;overflow-x:auto}}
@media print{@page{margin:18mm 16mm}body{margin:0!important;max-width:none!important;padding:0!important}
.run{font-size:10.5pt;max-width:none}.run thead{display:table-header-group}
.run tr,.run li,.facts,.signing{break-inside:avoid}.run h2{break-after:avoid}}
</style>"""


@border
def write_report(folder: Path) -> RunReport:
    """Write ``report.html`` and ``report.csv`` to a run folder, for its owner only, and return the report.

    Raises:
        RunRefused: The folder is not a run folder, or is of another release.
        ConfigError: This release cannot read the run's config.
        OSError: A file cannot be read or written.
    """
    report = RunReport.of(folder)
    for name, text in ((REPORT_HTML, page(report)), (REPORT_CSV, report.to_csv())):
        with (
            beside(folder / name, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", newline="", closefd=False) as file,
        ):
            file.write(text)
    return report


def page(report: RunReport) -> str:
    """Return the page. It loads no other resource."""
    return page_of(_TITLE, f'{_STYLE}<div class="run">{"".join(_sections(report))}</div>')


def _sections(report: RunReport) -> Iterable[str]:
    yield _head(report)
    yield "<h2>The last start</h2>" + _last_start(report)
    yield "<h2>What was to be done</h2>" + table((), report.config)
    if report.options:
        yield table(("option", "value", "meaning"), report.options)
    yield "<h2>Pixels</h2>" + _pixels(report)
    if report.refused:
        yield "<h2>Refused</h2><p>Nothing was written for these files.</p>"
        yield _counted("rule", report.refused)
    yield "<h2>Failed</h2>" + _failures(report)
    if report.ignored:
        yield "<h2>Passed over</h2>" + _counted("why", report.ignored)
    yield "<h2>Warnings</h2>" + _warnings(report)
    if report.decisions:
        yield "<h2>Review</h2>" + _counted("decision", report.decisions, "results")
    if report.events:
        yield "<h2>After the run</h2>" + _events(report)
    yield f"<h2>What was not checked</h2><ul>{''.join(f'<li>{escape(text)}</li>' for text in report.unchecked)}</ul>"
    yield "<h2>Starts</h2>" + _passes(report)
    yield "<h2>Versions and evidence</h2>" + _evidence(report)
    yield _SIGNING
    yield "<h2>Every attribute that had a value</h2>" + _attributes(report)


def _head(report: RunReport) -> str:
    state = f"<span{'' if report.state == 'complete' else ' class=bad'}>{escape(report.state)}</span>"
    when = report.passes[-1].get("began", "") if report.passes else ""
    shown = _box("de-identified in all", report.results)
    shown += _box("with something covered in the pixels", report.pixels.results)
    if report.counts:  # of a start that was killed, nobody knows
        failed = report.counts.get("failed", 0)
        shown += _box("failed at the last start, without a result", failed, bad=failed > 0)
    return (
        f'<p class="soft">Run <code>{escape(report.name)}</code>, {state}. Last start {escape(when)}.</p>'
        f'<div class="facts totals">{shown}</div>'
    )


def _last_start(report: RunReport) -> str:
    counts = report.counts
    if not counts:
        return '<p class="bad">It is still running or was killed: its files are not counted.</p>'
    facts = "".join(
        _box(label, counts.get(name, 0), bad=name == "failed" and counts.get(name, 0) > 0) for name, label in _FACTS
    )
    return (
        f'<div class="facts">{facts}</div>'
        '<p class="soft">Every DICOM file that was found is in one of the five other numbers. A start goes on where '
        f"the one before it ended. Passed over, because they are no DICOM files: {counts.get('ignored', 0):,}.</p>"
    )


def _box(label: str, count: int, *, bad: bool = False) -> str:
    return f"<div{' class=bad' * bad}><b>{count:,}</b><span>{escape(label)}</span></div>"


def _pixels(report: RunReport) -> str:
    pixels = report.pixels
    if not pixels.results:
        return "<p>Nothing was covered in the pixels of any result.</p>"
    told = (
        f"<p>{pixels.rectangles:,} rectangles were covered in {pixels.frames:,} frames of {pixels.results:,} "
        "results.</p>"
    )
    return told + _counted("why", pixels.by_rule, "rectangles")


def _failures(report: RunReport) -> str:
    if not report.failures:
        return "<p>No file failed at the last start.</p>" if report.counts else "<p>Not known.</p>"
    rows = [(reason, text, count) for (reason, text), count in report.failures.items()]
    return "<p>Nothing was written for these files.</p>" + table(("reason", "in words", "files"), rows)


def _warnings(report: RunReport) -> str:
    told = _counted("of results", report.warnings) if report.warnings else ""
    if report.unmatched:
        entries = "".join(f"<li><code>{escape(entry)}</code></li>" for entry in report.unmatched)
        told += '<p class="bad">Entries of safe_private that fit no element of any result; is a creator misspelled?</p>'
        told += f"<ul>{entries}</ul>"
    return told or "<p>None.</p>"


def _events(report: RunReport) -> str:
    rows = [
        (
            one.when,
            one.who,
            one.kind,
            one.in_words(),
            "yes" if one.record == report.record else "no: they have changed since",
        )
        for one in report.events
    ]
    files = "".join(
        f'<p class="soft">SHA-256 of the list of the files exported {escape(one.when)}: <code>{one.files}</code></p>'
        for one in report.events
        if one.files
    )
    told = table(("when", "by", "what", "numbers", "the results are still the same"), rows)
    return f'<div class="passes">{told}</div>{files}'


def _passes(report: RunReport) -> str:
    names = [name for name, _ in _FACTS]
    rows = [
        (
            one.get("began", ""),
            one.get("command", ""),
            one.get("state", "not ended"),
            *(one.get("counts", {}).get(name, 0) for name in names),
        )
        for one in report.passes
    ]
    return f'<div class="passes">{table(("begun", "by", "state", *names), rows)}</div>'


def _evidence(report: RunReport) -> str:
    rows = [
        *report.versions.items(),
        ("this report", __version__),
        ("manifest (digest)", report.manifest),
        ("record.jsonl (SHA-256)", report.record),
        *((f"{name} (SHA-256)", digest) for name, digest in report.others.items()),
    ]
    return table((), rows) + (
        '<p class="soft">The record lists every change to every result; decisions.jsonl, who approved or rejected '
        "which; events.jsonl, exports, audits and comparisons. Their SHA-256 bind a signature to them.</p>"
    )


def _attributes(report: RunReport) -> str:
    note = (
        "In how many results each was kept or changed, wherever it stands in them. A dummy is a fixed value that says "
        "nothing, such as 19000101; shifted dates are counted as changed. "
    )
    if not report.knows_kept and report.results:
        note += "The record does not tell what was kept. "
    rows = [(one.name, *(getattr(one, fate) or "" for fate in FATES)) for one in report.attributes]
    return f'<p class="soft">{note}One may be in several columns: in a sequence, and outside it.</p>' + table(
        ("attribute", *FATES), rows
    )


def _counted(what: str, counts: dict[str, int], of: str = "files") -> str:
    return table((what, of if what != "of results" else "results"), [*counts.items()])


_SIGNING = (
    '<div class="signing"><h2>Signature</h2>'
    "<p>I have read this report. What it says was done is what this project needs, and what was not checked is "
    "acceptable for the use that is intended.</p>"
    '<div class="sign"><div>Name</div><div>Signature</div><div>Date</div></div></div>'
)
