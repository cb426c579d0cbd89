"""Names of persons: by title, by label, by written form, by lexicon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.detectors.base import GUESS
from healthcare_deid.engine.text.detectors.words import Kind, Token, tokens_of
from healthcare_deid.engine.text.lexicon import first_names, fold, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

_TITLES = word_set("titles")
_TITLES_TO_TRUST_WITH_A_DOT = frozenset({"fr", "sr", "hr", "ms", "miss", "sir", "nurse", "rev", "prof"})
_LABEL = re.compile(
    r"""(?<![\w])(?:(?:pat(?:ient|\.)?|pt|last|first|family|given|maiden|full|mother|father|spouse|guardian
        |contact)?(?:'s)?[ ]?(?:name|nom|apellidos?|nombre|cognome|nachname|vorname|naam)
    |patients?|patiente?|paciente|paziente|pt|pat|surname|physician|ref(?:erring|erred|\.)?(?:[ ](?:by
    |phys(?:ician)?|dr|md|doctor))?|req(?:uesting|uested|\.)?(?:[ ](?:by|phys(?:ician)?|md|dr))?
    |ord(?:ering|ered)?(?:[ ](?:by|phys(?:ician)?|md|dr))?|perf(?:orming|ormed)?(?:[ ](?:by|phys(?:ician)?|md
    |dr))?|read(?:ing)?(?:[ ](?:by|phys(?:ician)?|md|dr))|(?:reviewed|signed|dictated|reported|interpreted|
    verified|approved|transcribed|acquired|scanned|examined|seen|entered|checked|confirmed|authenticated
    |discussed|called|informed|notified)[ ](?:by|to|with)|attending|radiologist|resident|fellow|sonographer|
    technologist|technician|tech|operator|opr|op|rad|radiographer|nurse|surgeon|cardiologist|oncologist|md
    |mother|father|spouse|wife|husband|daughter|son|brother|sister|guardian|caregiver|contact|
    next[ ]of[ ]kin|nok|arzt|untersucher|überweiser|médecin|medico|médico|attn|attention|author|investigator|pi)
    (?P<mark>[ ]*[:=][ ]*|[ ]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_WORDS = word_set("label_words")
_LABEL_THAT_NEEDS_A_COLON = word_set("label_that_needs_a_colon")
_CREDENTIALS = re.compile(
    r",? (?:M\.?D|D\.?O|Ph\.?D|R\.?N|NP|PA-C|MBBS|FRCR|FRCP|FACR|RDMS|RVT|RT ?\(R\)|ARRT|CNMT|RDCS|DDS|DVM|MRCP"
    r"|CRNP|M\.?B\.?|Jr|Sr|III|Esq)\b\.?"
)
_CARET_NAME = re.compile(
    r"(?<![\w^])[^\W\d_][^\W\d_'\u2019 .-]*(?:[-'\u2019 .][^\W\d_]+)*"
    r"\^[^\W\d_]*(?:[ .'\u2019^=-]{1,2}[^\W\d_.]+)*\.?(?![\w^])"
)
_EPONYM_NOUN = word_set("eponym_noun")
_MAX_NAME_WORDS = 4
_CODE = frozenset("_0123456789/\\@")


_UNLISTED = frozenset({Kind.LIKELY, Kind.UNKNOWN})
_NAMES = _UNLISTED | {Kind.FIRST, Kind.LAST}
_NAMES_AND_WORDS = _NAMES | {Kind.BOTH}


class CuedPersonDetector:
    """Finds names of persons by title, label, credentials, or the carets of DICOM's own form."""

    @property
    def info_types(self) -> frozenset[str]:
        """What it finds."""
        return frozenset({"PERSON_NAME"})

    @property
    def rank(self) -> int:
        """Its strength where findings overlap."""
        return 5

    def find(self, text: str) -> list[Match]:
        """Return the names, titles and credentials left out."""
        carets = _CARET_NAME.finditer(text) if "^" in text else ()
        found = [Match(match.start(), match.end(), "PERSON_NAME") for match in carets if _is_caret_name(match[0])]
        tokens = tokens_of(text)
        if tokens:
            found += _after_titles(text, tokens)
            found += _after_labels(text, tokens)
            found += _before_credentials(text, tokens)
        return found


class PersonFormDetector:
    """Finds names of persons by their words alone. Eponyms (Foley catheter), vendors and body parts are none."""

    @property
    def info_types(self) -> frozenset[str]:
        """What it finds."""
        return frozenset({"PERSON_NAME"})

    @property
    def rank(self) -> int:
        """Its strength where findings overlap."""
        return GUESS

    def find(self, text: str) -> list[Match]:
        """Return the names."""
        return _by_form(text, tokens_of(text))


def _is_caret_name(value: str) -> bool:
    parts = [fold(part) for part in re.split(r"[\^ =.-]+", value) if len(part) > 1]
    return any(part not in vocabulary() for part in parts) or bool(set(parts) & first_names())


def _span(run: Sequence[Token]) -> Match:
    return Match(run[0].start, run[-1].end, "PERSON_NAME")


def _gap(text: str, left: Token, right: Token) -> str:
    return text[left.end : right.start]


def _name_run(text: str, tokens: Sequence[Token], index: int, *, cue: bool) -> list[Token]:
    """Return the tokens of a name that begins at ``index``; with a cue, a word that is a name too counts as one."""
    run: list[Token] = []
    for position in range(index, min(len(tokens), index + _MAX_NAME_WORDS + 2)):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if run and not _is_joined(text, run, token):
            break
        if not _belongs(text, run, token, following, cue=cue):
            break
        run.append(token)
    while run and run[-1].kind is Kind.PARTICLE:
        run.pop()
    if all(token.kind is Kind.INITIAL for token in run):
        return []
    return run[: _MAX_NAME_WORDS + 1]


def _is_joined(text: str, run: Sequence[Token], token: Token) -> bool:
    """Whether what stands between a name and its next word may: a space, a point, a hyphen, one comma."""
    gap = _gap(text, run[-1], token)
    if gap in {", ", ","}:
        return "," not in text[run[0].start : run[-1].end]
    # Two spaces part columns: DOE JANE  F.
    return gap in {" ", "-", ". ", "."} or (gap == "  " and token.kind is not Kind.INITIAL)


def _belongs(text: str, run: Sequence[Token], token: Token, following: Token | None, *, cue: bool) -> bool:
    """Whether a word can be the next of a name."""
    names = _NAMES_AND_WORDS if cue else _NAMES
    if token.kind is Kind.PARTICLE:
        return following is not None and (following.kind in names or following.kind is Kind.PARTICLE)
    if token.kind is Kind.INITIAL:
        return token.capital or bool(run)
    if token.kind not in names:
        return False
    lower = text.islower() and (token.kind not in _UNLISTED or (cue and not run))
    if not (token.capital or lower):
        return False
    is_doubtful = cue and token.kind is Kind.BOTH and any(item.kind in _NAMES_AND_WORDS for item in run)
    return not is_doubtful or _goes_on(run, token)


def _goes_on(run: Sequence[Token], token: Token) -> bool:
    """Whether a word that is a name too still belongs to the name: Mary LONG, not GARCIA HEAD."""
    names = [item for item in run if item.kind in _NAMES_AND_WORDS]
    if len(names) == 2 and names[1].start - names[0].end == 1 and names[0].first:
        return token.last  # Jean-Luc
    return len(names) == 1 and (token.common or ((names[0].first or token.first) and token.last) or token.first)


def _after_titles(text: str, tokens: Sequence[Token]) -> list[Match]:
    found: list[Match] = []
    for index, token in enumerate(tokens[:-1]):
        if token.word not in _TITLES:
            continue
        gap = _gap(text, token, tokens[index + 1])
        if gap not in {" ", ". ", ".", ".  ", ": "}:
            continue
        if token.word in _TITLES_TO_TRUST_WITH_A_DOT and not (token.capital and ("." in gap or not token.upper)):
            continue
        if (
            token.word == "mr"
            and token.upper
            and "." not in gap
            and tokens[index + 1].kind not in {Kind.FIRST, Kind.LAST}
        ):
            continue  # MR is a modality before it is a title
        run = _name_run(text, tokens, index + 1, cue=True)
        if run and tokens[index + 1] is run[0]:
            found.append(_span(run))
    return found


def _after_labels(text: str, tokens: Sequence[Token]) -> list[Match]:
    starts = {token.start: index for index, token in enumerate(tokens)}
    found: list[Match] = []
    if not any(token.word in _LABEL_WORDS or token.word.endswith(("'s", "\u2019s")) for token in tokens):
        return found
    for match in _LABEL.finditer(text):
        index = starts.get(match.end())
        if index is None:
            continue
        colon = match["mark"].strip() != ""
        label = match[0].strip(" :=").lower()
        if not colon and (label in _LABEL_THAT_NEEDS_A_COLON or " " not in label):
            run = _name_run(text, tokens, index, cue=False)
            if sum(token.kind in _NAMES for token in run) < 2 and not any(token.kind is Kind.FIRST for token in run):
                run = []
        else:
            run = _name_run(text, tokens, index, cue=True)
        if run:
            found.append(_span(run))
    return found


def _before_credentials(text: str, tokens: Sequence[Token]) -> list[Match]:
    found: list[Match] = []
    for match in _CREDENTIALS.finditer(text):
        run: list[Token] = []
        for token in reversed([token for token in tokens if token.end <= match.start()]):
            if run and text[token.end : run[0].start] not in {" ", ". ", "-", ", "}:
                break
            if not run and token.end != match.start():
                break
            if (
                token.kind not in _NAMES_AND_WORDS | {Kind.INITIAL, Kind.PARTICLE}
                or not token.capital
                or token.word in _TITLES
            ):
                break
            run.insert(0, token)
        while run and run[0].kind is Kind.PARTICLE:
            run.pop(0)
        if run and any(token.kind in _NAMES for token in run) and len(run) <= _MAX_NAME_WORDS:
            found.append(_span(run))
    return found


def _by_form(text: str, tokens: Sequence[Token]) -> list[Match]:
    """Find names by how their words stand together: DOE, JOHN; Jane van Dyke; or one strong name by itself."""
    found: list[Match] = []
    index = 0
    while index < len(tokens):
        run = [] if tokens[index].word in _TITLES else _form_run(text, tokens, index)
        if run and _is_name(text, tokens, index, run):
            found.append(_span(run))
            index += len(run)
        else:
            index += 1
    return found


def _form_run(text: str, tokens: Sequence[Token], index: int) -> list[Token]:
    token = tokens[index]
    if token.kind not in _NAMES_AND_WORDS | {Kind.PARTICLE, Kind.INITIAL} or not (token.capital or text.islower()):
        return []
    if _is_heading(text, tokens, index):
        return []
    run = _name_run(text, tokens, index, cue=token.kind is Kind.BOTH)
    if run and token.kind in _NAMES and len(run) <= 2:
        known = len(run)
        longer = _name_run(text, tokens, index, cue=True)
        if len(longer) > known and _goes_on(run, longer[known]) and (longer[known].last or longer[known].first):
            mixed = token.capital and not token.upper
            comma = "," in _gap(text, run[-1], longer[known])
            if (comma and longer[known].first) or (token.kind is not Kind.UNKNOWN and (mixed or comma or token.first)):
                ends = known + 2 if len(longer) > known + 1 and longer[known + 1].kind is Kind.INITIAL else known + 1
                return longer[:ends]
    return run


def _is_heading(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Whether a word in capitals that is a surname too only stands before a name: KNEE Petrov, Irina."""
    if len(tokens) < index + 3:
        return False
    word, family, given = tokens[index : index + 3]
    return (
        word.kind is Kind.BOTH
        and not word.first
        and word.upper
        and family.capital
        and not family.upper
        and _gap(text, word, family) == " "
        and _gap(text, family, given) == ", "
    )


def _is_given(name: Token) -> bool:
    return name.kind is Kind.FIRST and len(name.word) > 3


def _is_name(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    after = tokens[index + len(run)] if index + len(run) < len(tokens) else None
    if after and after.word in _EPONYM_NOUN and _gap(text, run[-1], after) in {" ", "'s ", "\u2019s ", "-"}:
        return False
    names = [token for token in run if token.kind in _NAMES]
    comma = "," in text[run[0].start : run[-1].end]
    if len(names) >= 2:
        known = any(token.kind is not Kind.UNKNOWN for token in names)
        return known or all(token.capital and not token.upper and len(token.word) > 2 for token in names)
    words = [token for token in run if token.kind is Kind.BOTH]
    if names and words:
        return _is_name_and_word(run, names[0], words[0], comma=comma)
    if names:
        return _is_single_name(text, tokens, run, names[0])
    # Two words that are names too: YOUNG, MARK.
    return comma and len(words) >= 2 and run[0].last and run[1].first


def _is_name_and_word(run: Sequence[Token], name: Token, word: Token, *, comma: bool) -> bool:
    """Whether a name and a word that is one too make a name: Mary Long; Kowalski, Mark."""
    if comma and word.first and word is not run[0]:
        return True
    complete = any(token.first for token in run) and any(token.last for token in run)
    return complete and (comma or (word.capital and name.kind is not Kind.UNKNOWN))


def _is_single_name(text: str, tokens: Sequence[Token], run: Sequence[Token], name: Token) -> bool:
    """Whether a name without another beside it is one: with an initial, alone, or among words; not inside a code."""
    if name.kind is Kind.UNKNOWN:
        return False
    if len(run) > 1 and any(token.kind is Kind.INITIAL for token in run):
        return len(name.word) > 3
    before, behind = text[max(0, name.start - 1) : name.start], text[name.end : name.end + 1]
    if before in _CODE or (behind in _CODE and not (behind.isdigit() and (name.common or _is_given(name)))):
        return False
    alone = len(tokens) == 1
    return len(name.word) >= (3 if alone else 4) and (name.capital or alone)
