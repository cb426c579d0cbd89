"""Replacement of UIDs in free text.

They would lead back to the original in the archive, so they are mapped like UIDs in elements of VR UI.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.plan.tag_decisions import UidPolicy

MOST_CHARACTERS = {"AE": 16, "LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
"""Maximum lengths of text VRs (PS3.5 table 6.2-1). VRs without a practical limit are left out."""
# At least three components; a decimal number or a date has fewer, or is caught by the checks below.
# A name of a file may begin with a modality, as in MR.1.2.840…, or separate the components otherwise, as in 1_2_840….
_DOTTED = r"(?<!\d)(?<!\d\.)\d+(?:\.\d+){2,}(?!\.?\d)"
_JOINED = r"(?<!\d)[012](?P<by>[_-])\d+(?:(?P=by)\d+){4,}(?!\d)"
_UID = re.compile(f"{_DOTTED}|{_JOINED}")
# The number of an organization. Lists of settings, such as b-values, hold no number as long.
_LONG_COMPONENT = re.compile(r"\d{6}")
_FEWEST_DOTS = 4
# Shorter dotted numbers are versions, addresses or dates, unless they are UIDs of the instance.
_SHORTEST = 12
_SHORTEST_JOINED = 24
# First private-use character that stands for a UID during detection, because no detector matches it.
_HIDDEN = 0xF0000


def _is_joined(text: bytes) -> bool:
    """Return whether a text has as many separators other than dots as a UID needs."""
    return text.count(b"_") > _FEWEST_DOTS or text.count(b"-") > _FEWEST_DOTS


class UidsInText:
    """Replaces UIDs in text by the policy for elements of VR UI.

    Args:
        policy: UID policy of the plan.
        mapper: UID rule.
        own_uids: Returns the instance's own UIDs.

    Attributes:
        asked: Whether the result for the last text depended on the instance's own UIDs.
    """

    def __init__(self, policy: UidPolicy, mapper: UidMapper, own_uids: Callable[[], frozenset[str]]) -> None:
        self._policy = policy
        self._mapper = mapper
        self._own_uids = own_uids
        self._own: frozenset[str] | None = None
        self.asked = False

    @property
    def own(self) -> frozenset[str]:
        """The instance's own study, series and instance UIDs."""
        if self._own is None:
            self._own = self._own_uids()
        return self._own

    def replace(self, value: bytes, vr: str) -> bytes:
        """Replace the UIDs in an encoded value, and pad it."""
        self.asked = False
        if (value.count(b".") < 2 and not _is_joined(value)) or not self._policy.primary:
            return value
        # UIDs are ASCII in every character set, so any decoding that keeps all bytes will do.
        text = value.decode("latin-1")
        changed = _UID.sub(self._new_of, text).encode("latin-1")
        if changed == value:
            return value
        changed = changed.rstrip(b"\0 ")
        # A new UID may be longer than the old one. If the value becomes too long, the UIDs are removed.
        if len(changed) > MOST_CHARACTERS.get(vr, len(changed)):
            changed = _UID.sub("", text).encode("latin-1").rstrip(b"\0 ") if b"\\" not in value else b""
        return changed + b" " * (len(changed) % 2)

    def hide(self, text: str) -> tuple[str, list[str]]:
        """Replace each UID by a private-use character.

        Returns the text and the new UIDs.
        """
        uids: list[str] = []
        if ("." not in text and not _is_joined(text.encode("ascii", "replace"))) or not self._policy.primary:
            return text, uids

        def hidden(found: re.Match[str]) -> str:
            new = self._new_of(found)
            if new == found[0] and not self._is_uid(new):
                return found[0]
            uids.append(new)
            return chr(_HIDDEN + len(uids) - 1)

        return _UID.sub(hidden, text), uids

    @staticmethod
    def show(text: str, uids: list[str], vr: str) -> str:
        """Put the new UIDs back into a text.

        They are dropped if they do not fit the VR.
        """
        shown = text
        for number, uid in enumerate(uids):
            shown = shown.replace(chr(_HIDDEN + number), uid)
        if len(shown) <= MOST_CHARACTERS.get(vr, len(shown)):
            return shown
        return "".join(letter for letter in text if not _HIDDEN <= ord(letter) < _HIDDEN + len(uids)).strip()

    def _new_of(self, found: re.Match[str]) -> str:
        separator = found["by"]
        if not separator:
            return self._new(found[0])
        uid = found[0].replace(separator, ".")
        if len(uid) < _SHORTEST_JOINED or _LONG_COMPONENT.search(uid) is None:
            self.asked = True
            if uid not in self.own:
                return found[0]
        return self._new(uid).replace(".", separator)

    def _new(self, uid: str) -> str:
        if self._policy.others and self._is_uid(uid):
            return self._mapper.map(uid)
        if not self._policy.own:
            return uid
        self.asked = True
        return self._mapper.map(uid) if uid in self.own else uid

    def _is_uid(self, text: str) -> bool:
        return text.count(".") >= _FEWEST_DOTS and len(text) >= _SHORTEST and text[0] in "012"
