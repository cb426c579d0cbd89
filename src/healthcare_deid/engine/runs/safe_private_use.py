"""Entries of ``safe_private`` that fit no element of any result, for example because a creator is misspelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.elements import creator_tag, is_private, is_private_creator
from healthcare_deid.engine.plan.compile import safe_private_rules

if TYPE_CHECKING:
    from collections.abc import Iterable


class SafePrivateUse:
    """Finds out by a record's lines which entries fitted an element.

    Args:
        entries: The entries as the caller wrote them: creator, group, and the last two digits of the element.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        texts = list(entries)
        self._entries = list(zip(texts, safe_private_rules(texts), strict=True))
        self._found: set[tuple[str, int, int]] = set()
        self._seen: dict[tuple[int, ...], object] = {}
        self._results = False

    def take(self, line: dict[str, Any]) -> None:
        """Look at one result's line, with its lists resolved."""
        self._results = True
        lists = [line.get(name, []) for name in ("changes", "keptTags", "creators")]
        # The lists of a series repeat; they are held, so that no id is used again.
        key = tuple(map(id, lists))
        if not self._entries or key in self._seen:
            return
        self._seen[key] = lists
        changes, kept, creators = lists
        named: dict[int, set[str]] = {}
        for block, _, creator in (text.partition(" ") for text in creators):
            named.setdefault(int(block, 16), set()).add(creator)
        for tag in {*(int(tag, 16) for tag in kept), *(int(one["path"].rpartition("/")[2], 16) for one in changes)}:
            if is_private(tag) and not is_private_creator(tag):
                self._found |= {(one, tag >> 16, tag & 0xFF) for one in named.get(creator_tag(tag), ())}

    def unmatched(self) -> tuple[str, ...]:
        """Return the entries that fitted no element; none if there was no result to tell by."""
        return tuple(text for text, rule in self._entries if rule not in self._found) if self._results else ()
