"""Text of a result beside that of its original, for the person who decides about it. It contains values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.header.actions import MALFORMED_REASON, OWN_IDENTITY_REASON
from healthcare_deid.engine.results import ChangeAction
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.audit.audit import audit
from healthcare_deid.report.audit.elements import elements_of
from healthcare_deid.report.audit.originals import Originals
from healthcare_deid.report.audit.second_run import named
from healthcare_deid.report.audit.text_look import is_binary
from healthcare_deid.report.compare import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.report.audit.elements import Element

MOST = 1000
"""Attributes that are listed of one instance: more than a person reads."""
LONGEST = 20_000
"""Characters of a value that are shown."""
MOST_SEARCHED = 20_000
"""Elements of an instance that is searched before it is shown: more take longer than a person waits."""
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_SHORT_VRS = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI"})
_NUMBER_VRS = frozenset({"DS", "IS"})
_BREAKS = str.maketrans("", "", "\r\n\t\f")
_ITEM = re.compile(r"\[\d+\]")
_WARNED = {
    OWN_IDENTITY_REASON: "one of the patient's names or numbers was erased here",
    MALFORMED_REASON: "a value that its VR cannot have was emptied",
}
"""Rules in the record that a warning of the result is about."""


@dataclass(frozen=True, slots=True)
class AttributeText:
    """Text of an attribute before and after.

    Attributes:
        path: Keywords joined by ``/``; items of sequences in brackets. The first of its places.
        vr: Value representation.
        verdict: What became of it.
        before: Text in the original; None if there is none, or no original.
        after: Text in the result; None if there is none.
        why: Why a person should look at it; empty for most.
        places: Number of items of sequences where it is the same.
    """

    path: str
    vr: str
    verdict: str
    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    why: str = ""
    places: int = 1


@dataclass(frozen=True, slots=True)
class AttributeTexts:
    """Text of an instance.

    Attributes:
        rows: Attributes with text: those to look at first; then text and codes that stay or were changed, short values
            such as dates and UIDs, and what is gone from the original.
        more: Number of rows that are not listed.
        others: Number of other attributes that stay: numbers and bytes.
        searched: Whether an audit said what to look at first; a very large instance is not searched.
    """

    rows: tuple[AttributeText, ...] = field(repr=False)
    more: int = 0
    others: int = 0
    searched: bool = True


def attribute_texts(
    after: Dataset,
    before: Dataset | None,
    changes: Iterable[Mapping[str, Any]],
    *,
    config: Any = None,
    options: Mapping[str, Any] | None = None,
) -> AttributeTexts:
    """Return the text of a result and of its original.

    Args:
        after: The result.
        before: Its original, if there is one.
        changes: Changes to it, as in the record.
        config: Config of the run, as in `audit`.
        options: Engine arguments of the run, as in `audit`.

    Raises:
        EngineError: An instance cannot be read to its end.
    """
    return guarded(lambda: _texts_of(after, before, changes, config, options))


def _texts_of(
    after: Dataset,
    before: Dataset | None,
    changes: Iterable[Mapping[str, Any]],
    config: Any,
    options: Mapping[str, Any] | None,
) -> AttributeTexts:
    new = {element.path: element for element in elements_of(after)}
    old = {element.path: element for element in elements_of(before)} if before is not None else {}
    done = {str(change["path"]): change for change in changes}
    searched = len(new) <= MOST_SEARCHED
    found = _findings(after, before, config, options) if searched else {}
    rows: dict[tuple[object, ...], AttributeText] = {}
    others = 0
    warned = (path for path, change in done.items() if change["rule"] in _WARNED)
    for path in dict.fromkeys((*new, *old, *warned)):
        here, there = new.get(path), old.get(path)
        element = here or there
        name, vr = (element.names, element.vr) if element is not None else (named(path), "")
        change = _change(path, done)
        why = found.get(name, "") or _WARNED.get(change.get("rule", ""), "")
        texts = _text(there), _text(here)
        verdict = _verdict(there, here, change, compared=before is not None)
        if why or (texts != (None, None) and not (vr in _NUMBER_VRS and verdict == Verdict.KEPT)):
            row = AttributeText(name, vr, verdict, _shown(there, texts[0]), _shown(here, texts[1]), why)
            same = _ITEM.sub("[]", name), vr, verdict, row.before, row.after, why
            rows[same] = replace(row, places=rows[same].places + 1, path=rows[same].path) if same in rows else row
        elif here is not None:
            others += 1
    listed = sorted(rows.values(), key=_rank)  # stable: in the order of the instance
    return AttributeTexts(tuple(listed[:MOST]), max(0, len(listed) - MOST), others, searched)


def _change(path: str, done: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the change to an element: its own, or that of an added sequence around it."""
    around = done.get(path.partition("[")[0], {})
    return done.get(path) or (around if around.get("action") == ChangeAction.ADDED else {})


def _findings(after: Dataset, before: Dataset | None, config: Any, options: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what an audit says of each attribute, by its path in keywords."""
    originals = None
    if before is not None:
        original = Originals()
        original.add(before)
        # Under no UID: a UID of the run's secret leads to no original, and there is only this one.
        originals = Originals(others=[*original.by_uid.values()][:1] or original.others)
    told = audit(after, config=config, options=options, originals=originals).findings
    return {one.path: one.why for one in told if one.severity is not Severity.INFO}


def _text(element: Element | None) -> str | None:
    """Return an element's value as text; None if it is none."""
    if element is None or not (is_binary(element) or element.vr in _TEXT_VRS | _SHORT_VRS | _NUMBER_VRS):
        return None
    text = "\\".join(element.texts())
    if is_binary(element) and not text.translate(_BREAKS).isprintable():
        return None
    return text or None


def _shown(element: Element | None, text: str | None) -> str | None:
    if text is None:
        return f"({len(element.value):,} bytes)" if element is not None else None
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST:,} characters more)"


def _verdict(there: Element | None, here: Element | None, change: Mapping[str, Any], *, compared: bool) -> str:
    """Return what became of an element: by comparison, or without an original by the record."""
    if not compared:
        return str(change.get("action", Verdict.KEPT))
    if there is None:
        return Verdict.ADDED
    if here is None:
        return Verdict.EMPTIED if change.get("action") == Verdict.EMPTIED else Verdict.REMOVED
    return Verdict.KEPT if _content(there) == _content(here) else Verdict.CHANGED


def _content(element: Element) -> object:
    return element.texts() or element.value


def _rank(row: AttributeText) -> int:
    if row.why:
        return 0
    if row.after is None:
        return 3
    return 2 if row.vr in _SHORT_VRS else 1
