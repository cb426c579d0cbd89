"""Detector of person names with a cue.

A title, a label, credentials or carets are cues.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_names import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.find.detectors.name_runs import (
    CLOSED_CLASS,
    MAX_NAME_WORDS,
    NAMES,
    NAMES_AND_WORDS,
    TITLES,
    gap,
    is_eponym,
    is_graded,
    may_be_a_name,
    name_run,
    span,
)
from healthcare_deid.engine.text.find.detectors.words import Token, WordKind, matches_at, places_of, tokens_of
from healthcare_deid.engine.text.find.lexicon import (
    eponyms,
    everyday,
    first_names,
    fold,
    is_field_word,
    places,
    surnames,
    vocabulary,
    word_set,
)
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDINGS_OF_TITLES = frozenset({"ra", "na", "ssa"})
_TITLES_TO_TRUST_WITH_A_DOT = frozenset({"fr", "sig", "sr", "hr", "ms", "miss", "sir", "nurse", "rev", "prof"})
_SHORT_TITLES = frozenset(
    ["dhr", "mevr", "dr", "drs", "mr", "mrs", "ms", "prof", "mme", "mlle", "sra", "srta", "dott", "dottssa"]
)
_LABEL = re.compile(
    r"""(?<![\w])(?:(?:pat(?:ient|\.)?|pt|last|first|family|given|maiden|full|mother|father|spouse|guardian
        |contact)?(?:'s)?[ ]?(?:name|nom|apellidos?|nombre|cognome|nachname|vorname|naam)
    |patients?|subscriber|policy[ ]?holder|patiente?|paciente|paziente|pt|pat|surname|physician
    |ref(?:erring|erred|\.)?(?:[ ](?:by
    |phys(?:ician)?|dr|md|doctor))?|req(?:uesting|uested|\.)?(?:[ ](?:by|phys(?:ician)?|md|dr))?
    |ord(?:ering|ered)?(?:[ ](?:by|phys(?:ician)?|md|dr))?|perf(?:orming|ormed)?(?:[ ](?:by|phys(?:ician)?|md
    |dr))?|read(?:ing)?(?:[ ](?:by|phys(?:ician)?|md|dr))|(?:reviewed|signed|dictated|reported|interpreted|
    verified|approved|transcribed|acquired|scanned|examined|seen|entered|checked|confirmed|authenticated
    |discussed|called|informed|notified|assessed|evaluated|interviewed|supervised|assisted|witnessed|performed
    |ordered|requested|referred|paged|spoke|spoken
    |accompanied)(?:[ ](?:by|to|with)|(?=[ ]*:))|attending|radiologist|resident
    |fellow|sonographer|technologist|technician|tech|operator|opr|op|rad|radiographer|nurse|surgeon|cardiologist|oncologist
    |md|mother|father|spouse|wife|husband|daughter|son|brother|sister|guardian|caregiver|contact|carer|partner|uncle|aunt
    |cousin|nephew|niece|grandson|granddaughter|grandmother|grandfather|physicist|dosimetrist|therapist|provider|pcp
    |consultant|clinician|registrar|intern|np|rn|an[a]?esthetist|anesthesiologist|midwife|pathologist|neurologist|gp
    |(?:scan|images?|films?|study|report|workstation|desk|signature)[ ]of|informed|paged|notified|called|texted|phoned
    |aka|nick(?:name)?|n[eé]e|born|geb(?:orene?|\.)?|formerly|known[ ]as|user(?:name|[ ]id)?|log(?:in|ged[ ]in[ ]as)|
    next[ ]of[ ]kin|nok|arzt|untersucher|überweiser|médecin|medico|médico|attn|attention|author|investigator|pi)
    (?P<mark>[ ]*[:=?][ ]*|[ ]is[ ]|[ ]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL_BEGINNINGS = word_set("label_beginnings")
_LABEL_AFTER = frozenset(
    ["age", "dob", "mrn", "sex", "id", "born", "male", "female", "pid", "ssn", "acc", "accession", "number", "no"]
)
_BELONGINGS = word_set("belongings")
_CALLED = frozenset({"called", "informed", "notified", "paged", "phoned", "texted"})
_ROLES = word_set("roles")
_BIRTH_NAME = frozenset({"née", "nee", "born", "geb.", "geb", "geborene", "maiden name", "formerly"})
_LOGIN = frozenset({"user", "username", "user id", "login", "logged in as"})
# Labels whose value is often only the initials of a person.
_OPERATOR = frozenset({"op", "opr", "operator", "tech", "technologist", "technician"})
_SHORT_CLINICAL = word_set("short_clinical")
_LABEL_WORDS = word_set("label_words")
_LABEL_THAT_NEEDS_A_COLON = word_set("label_that_needs_a_colon")
# Degrees and suffixes after a name, such as ", MD".
_CREDENTIALS = re.compile(
    r",? (?:M\.?D|D\.?O|Ph\.?D|R\.?N|NP|PA-C|MBBS|FRCR|FRCP|FACR|RDMS|RVT|RT ?\(R\)|ARRT|CNMT|RDCS|DDS|DVM|MRCP"
    r"|CRNP|M\.?B\.?|Jr|Sr|III|Esq)\b\.?"
)
# The form of a PN value: DOE^JANE^A.
_CARET_NAME = re.compile(
    r"(?<![\w^])[^\W\d_][^\W\d_'\u2019 .-]*(?:[-'\u2019 .][^\W\d_]+)*"
    r"\^[^\W\d_]*(?:[ .'\u2019^=-]{1,2}[^\W\d_.]+)*\.?(?![\w^])"
)


class CuedPersonDetector:
    """Finds person names by a cue.

    Titles, labels, credentials and the carets of a PN value are cues.
    """

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it finds."""
        return frozenset({"PERSON_NAME"})

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins."""
        return 5

    def find(self, text: str) -> list[Match]:
        """Return the names, without titles and credentials."""
        carets = _CARET_NAME.finditer(text) if "^" in text else ()
        found = [Match(match.start(), match.end(), "PERSON_NAME") for match in carets if _is_caret_name(match[0])]
        tokens = tokens_of(text)
        if tokens:
            found += _after_titles(text, tokens)
            found += _after_labels(text, tokens)
            found += _before_credentials(text, tokens)
            found += _before_belongings(text, tokens)
            if len(tokens) == 1 and is_login(text.strip(" ")) and tokens[0].word not in vocabulary():
                found.append(span(tokens))
        return found


def _is_caret_name(value: str) -> bool:
    parts = [fold(part) for part in re.split(r"[\^ =.-]+", value) if len(part) > 1]
    return any(part not in vocabulary() for part in parts) or bool(set(parts) & first_names())


def _after_titles(text: str, tokens: Sequence[Token]) -> list[Match]:
    found: list[Match] = []
    for place in places_of(text, TITLES):
        token = tokens[place]
        index = place + _has_ending(text, tokens, place)
        if index + 1 == len(tokens):
            continue
        between = gap(text, tokens[index], tokens[index + 1])
        if between not in {" ", ". ", ".", ".  ", ": "}:
            continue
        if token.word in _TITLES_TO_TRUST_WITH_A_DOT and not (token.capital and ("." in between or not token.upper)):
            continue
        if (
            token.word == "mr"
            and token.upper
            and "." not in between
            and tokens[index + 1].kind not in {WordKind.FIRST, WordKind.LAST}
        ):
            continue  # MR is more often the modality than a title
        if not token.capital and token.word not in _SHORT_TITLES and not tokens[index + 1].capital:
            continue  # an ordinary word, as in "the nurse called"
        # A capital title without a period may be a modality, so the next word need not be a name: DR CHEST.
        titled = token.word in _SHORT_TITLES and ("." in between or not (token.upper and tokens[index + 1].upper))
        run = name_run(text, tokens, index + 1, cue=True, title=titled)
        if run and tokens[index + 1] is run[0]:
            found.append(span(run))
    return found


def _has_ending(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether a title goes on after its period: Sig.ra."""
    following = tokens[index + 1 : index + 2]
    return bool(following) and following[0].word in _ENDINGS_OF_TITLES and gap(text, tokens[index], following[0]) == "."


def _after_labels(text: str, tokens: Sequence[Token]) -> list[Match]:
    found: list[Match] = []
    for match in matches_at(_LABEL, text, _LABEL_BEGINNINGS):
        index = bisect_left(tokens, match.end(), key=itemgetter(0))
        if index == len(tokens) or tokens[index].start != match.end():
            continue
        while index < len(tokens) and tokens[index].word in TITLES:
            index += 1  # `_after_titles` finds names after titles
        if index == len(tokens) or tokens[index].word in _LABEL_AFTER:
            continue
        mark = match["mark"].strip().lower()
        if mark == "is" and "name" not in match[0].lower():
            continue
        colon = mark != ""
        label = match[0].strip(" :=").lower()
        if label in _BIRTH_NAME and _is_birth_name(tokens[index]):
            found.append(span(tokens[index : index + 1]))
            continue
        is_person = colon or label.endswith((" by", " to", " with")) or label in _ROLES | _CALLED
        titled = is_person and (
            _leads_to_a_name(tokens, index)
            or (label in _ROLES and not tokens[index].upper and may_be_a_name(tokens[index], known=everyday()))
        )
        run = name_run(text, tokens, index, cue=True, title=titled)
        if not colon and len(run) > 1 and is_eponym(text, tokens, index + len(run), names=len(run)):
            run = run[:-1]  # the last word belongs to a term
        if is_person and _lacks_surname(text, tokens, index, run):
            run = list(tokens[index : index + 2])
        if (
            not colon
            and (label in _LABEL_THAT_NEEDS_A_COLON or " " not in label)
            and not _is_called(text, tokens, index, run)
        ) or (run and not colon and is_eponym(text, tokens, index + len(run), names=len(run))):
            run = []
        if run:
            found.append(span(run))
        elif colon or label.endswith((" by", " to", " with")) or label in _OPERATOR | _LOGIN:
            found += _initials_or_login(text, tokens[index], of_account=label in _LOGIN)
    return found


def _is_birth_name(token: Token) -> bool:
    is_word = token.word in DAY_AND_MONTH_NAMES or (token.word in everyday() and not token.last)
    return token.capital and token.kind is not WordKind.INITIAL and not is_word and token.word not in places()


def _lacks_surname(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a surname that is also a word of the field was left out after a first name or an initial.

    Examples: scanned by Emile Coste, reported by E. Coste.
    """
    given, following = tokens[index], tokens[index + 1 : index + 3]
    if not following or len(run) > 1 or (run and run[0] is not given):
        return False
    name = following[0]
    begins = given.first if run else given.kind is WordKind.INITIAL
    if not (begins and given.capital and name.capital and not name.upper and len(name.word) > 2):
        return False
    if gap(text, given, name) not in {" ", ". "} or name.word in _LABEL_AFTER:
        return False
    return len(following) == 1 or gap(text, name, following[1]) != " " or not following[1].capital


def _leads_to_a_name(tokens: Sequence[Token], index: int) -> bool:
    """Return whether an ambiguous word precedes a name.

    Capitalized, it is part of the name: Philippine Menard.
    """
    if index + 1 == len(tokens):
        return False
    word, name = tokens[index : index + 2]
    return word.capital and not word.upper and name.capital and (name.kind in NAMES or name.last)


def _is_called(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a name follows a label without a colon.

    Examples: Tech Manon Roux, nurse Graves.
    """
    if not run or run[0] is not tokens[index]:
        return False
    if sum(token.kind in NAMES for token in run) >= 2 or any(token.kind is WordKind.FIRST for token in run):
        return True
    if is_eponym(text, tokens, index + len(run), names=len(run)):
        return False
    name = run[0]
    if len(run) >= 2:
        return all(token.capital for token in run) and not (name.upper and name.kind is WordKind.BOTH)
    if not name.capital or len(name.word) < 3:
        return False
    if not name.upper:
        return name.kind in NAMES or name.last or name.first or name.word in eponyms() or name.word not in everyday()
    following = tokens[index + 1].word if index + 1 < len(tokens) else ""
    ends = not text[name.end : name.end + 1].strip() and following in _LABEL_AFTER
    return name.kind in NAMES or (name.last and (ends or index + 1 == len(tokens)))


def _initials_or_login(text: str, token: Token, *, of_account: bool) -> list[Match]:
    """Find staff by their initials or login.

    Systems write them after a label. Examples: Op: MH; signed by rbaker.
    """
    end = token.end
    while of_account and text[end : end + 1].isdigit():
        end += 1
    before, behind = text[: token.start], text[end : end + 1]
    if behind.isalnum() or before.endswith(("_", "-")):
        return []
    raw = text[token.start : token.end]
    is_initials = raw.isupper() and 2 <= len(raw) <= 3 and token.word not in _SHORT_CLINICAL and not token.first
    is_plain_word = token.word in vocabulary() and not is_initials
    is_account = of_account and raw.islower() and len(raw) > 2 and not is_field_word(token.word)
    if is_initials or is_account or (not is_plain_word and is_login(raw)):
        return [Match(token.start, end, "PERSON_NAME")]
    return []


def is_login(word: str) -> bool:
    """Return whether a word is an initial joined to a surname: jsmith."""
    return word.islower() and len(word) >= 5 and word[1:] in surnames() and word[1:] not in vocabulary()


def _before_credentials(text: str, tokens: Sequence[Token]) -> list[Match]:
    found: list[Match] = []
    for match in _CREDENTIALS.finditer(text):
        run: list[Token] = []
        for token in reversed([token for token in tokens if token.end <= match.start()]):
            if run and text[token.end : run[0].start] not in {" ", ". ", "-", ", "}:
                break
            if not run and token.end != match.start():
                break
            is_drug = token.kind is WordKind.WORD and (
                (not token.upper and token.word not in vocabulary())
                or (len(run) == 1 and run[0].kind in NAMES and token.word not in _LABEL_WORDS | CLOSED_CLASS)
            )
            if (
                (token.kind not in NAMES_AND_WORDS | {WordKind.INITIAL, WordKind.PARTICLE} and not is_drug)
                or not token.capital
                or token.word in TITLES
            ):
                break
            run.insert(0, token)
        while run and run[0].kind is WordKind.PARTICLE:
            run.pop(0)
        if len(run) == 1 and not match[0].startswith(",") and is_graded(text, run[0]):
            continue  # Weber III
        if (
            run
            and len(run) <= MAX_NAME_WORDS
            and (
                any(token.kind in NAMES or token.word in eponyms() for token in run)
                or (len(run) >= 2 and all(token.first or token.last for token in run))
                or (len(run) == 1 and len(run[0].word) > 3 and run[0].word not in vocabulary())
                or (len(run) == 1 and run[0].last and not run[0].upper and match[0].startswith(","))
            )
        ):
            found.append(span(run))
    return found


def _before_belongings(text: str, tokens: Sequence[Token]) -> list[Match]:
    """Find names by a possession: Pinto's prior films."""
    found: list[Match] = []
    for index in places_of(text, _BELONGINGS):
        if not index:
            continue
        owner, thing = tokens[index - 1 : index + 1]
        name = owner.word.removesuffix("'s")
        is_owned = name != owner.word and gap(text, owner, thing) == " "
        if is_owned and owner.capital and (name in surnames() or name in first_names()):
            found.append(Match(owner.start, owner.end - 2, "PERSON_NAME"))
    return found
