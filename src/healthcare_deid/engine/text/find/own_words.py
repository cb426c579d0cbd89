"""Words of a text, prepared for comparison with header values.

They are folded, and look-alikes are unified.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.text.find.lexicon import fold, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Han and Kana, which are written without spaces.
_UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
UNSPACED_WORD = re.compile(f"[{_UNSPACED}]+")
_SYLLABIC = re.compile(f"[{_UNSPACED}\uac00-\ud7af]+")
WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
# Text recognition confuses these letters with digits, in both directions.
_LOOK_ALIKES = str.maketrans("oilsbzgq|", "011582991")
_TITLES = word_set("titles")
_LABELS = word_set("label_words") | {"by"}


class OwnWord(NamedTuple):
    """A word or number of a text.

    Attributes:
        start: Index of the first character.
        end: Index after the last character.
        plain: Its folded form.
        raw: Its original form.
    """

    start: int
    end: int
    plain: str
    raw: str


def own_words(text: str) -> list[OwnWord]:
    """Return the words and numbers of a text."""
    return [OwnWord(match.start(), match.end(), fold(match[0]), match[0]) for match in WORD.finditer(text)]


def look_alike(word: str) -> str:
    """Return a folded word with characters that OCR confuses unified."""
    return word.translate(_LOOK_ALIKES)


def squeezed(value: str) -> str:
    """Return the letters and digits of a text, with look-alikes unified."""
    return "".join(look_alike(fold(word)) for word in WORD.findall(value))


def deletions(word: str) -> Iterator[str]:
    """Yield a word and its forms with one character deleted.

    Two words at an edit distance of one share one of these.
    """
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


def is_short(word: str) -> bool:
    """Return whether a name is too short to be distinctive: fewer than three letters, or one ideograph."""
    return len(word) < (2 if _SYLLABIC.fullmatch(word) else 3)


def follows_name_cue(text: str, words: Sequence[OwnWord], index: int) -> bool:
    """Return whether a title or label precedes the word at ``index``.

    Examples: Dr. Ng, Patient Walker, Tech: WU.
    """
    if index == 0:
        return False
    cue, word = words[index - 1], words[index]
    between = text[cue.end : word.start]
    if between.strip(" \t:=.,#-(^") or len(between) > 4:
        return False
    if cue.plain in _TITLES:
        # In capitals, MR and DR are modalities more often than titles: MR HEAD, DR CHEST.
        return not (cue.plain in {"mr", "dr", "ms"} and cue.raw.isupper() and "." not in between) or is_last_in_column(
            text, words, index
        )
    if cue.plain not in _LABELS:
        return False
    if ":" in between or "=" in between:
        return True
    return word.raw[0].isupper() and (word.raw[1:].islower() or is_last_in_column(text, words, index))


def is_last_in_column(text: str, words: Sequence[OwnWord], index: int) -> bool:
    """Return whether a period, comma, wide gap or the end follows the word at ``index``."""
    if index + 1 == len(words):
        return True
    behind = text[words[index].end : words[index + 1].start]
    return behind != " " and not behind.startswith(("-", "/", "'", "\u2019"))
