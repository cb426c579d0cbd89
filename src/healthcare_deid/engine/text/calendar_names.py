"""Names of months and weekdays in the supported languages."""

from __future__ import annotations

from healthcare_deid.engine.text.find.lexicon import fold

_MONTHS: dict[str, tuple[str, str]] = {
    # language: (full names, abbreviations), twelve of each
    "en": (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    ),
    "de": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv févr mars avr mai juin juil août sept oct nov déc",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
    ),
    "pt": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
    ),
    "pl": (
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    ),
    "cs": (
        "ledna února března dubna května června července srpna září října listopadu prosince",
        "led úno bře dub kvě čvn čvc srp zář říj lis pro",
    ),
    "ro": (
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
        "ian feb mar apr mai iun iul aug sept oct nov dec",
    ),
    "sv": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "da": (
        "januar februar marts april maj juni juli august september oktober november december",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "fi": (
        (
            "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta"
            " marraskuuta joulukuuta"
        ),
        "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    ),
    "tr": (
        "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
        "oca şub mar nis may haz tem ağu eyl eki kas ara",
    ),
    "ru": (
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
    ),
    "uk": (
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
        "січ лют бер кві тра чер лип сер вер жов лис гру",
    ),
    "el": (
        (
            "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου"
            " Δεκεμβρίου"
        ),
        "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
    ),
    "hu": (
        "január február március április május június július augusztus szeptember október november december",
        "jan febr márc ápr máj jún júl aug szept okt nov dec",
    ),
    "sk": (
        "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
        "jan feb mar apr máj jún júl aug sep okt nov dec",
    ),
    "ca": (
        "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
        "gen febr març abr maig juny jul agost set oct nov desembre",
    ),
    "hr": (
        "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
        "sij velj ožu tra svi lip srp kol ruj lis stu pro",
    ),
}

# ASCII spellings that are common on consoles without accents.
_SPELLINGS_WITHOUT_ACCENT = {
    "marz": "märz",
    "fevrier": "février",
    "aout": "août",
    "decembre": "décembre",
    "sept": "sep",
}

_WEEKDAYS: dict[str, tuple[str, str]] = {
    "en": ("Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "Mon Tue Wed Thu Fri Sat Sun"),
    "de": ("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", "Mo Di Mi Do Fr Sa So"),
    "fr": ("lundi mardi mercredi jeudi vendredi samedi dimanche", "lun mar mer jeu ven sam dim"),
    "es": ("lunes martes miércoles jueves viernes sábado domingo", "lun mar mié jue vie sáb dom"),
}


def _index(table: dict[str, tuple[str, str]]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Map each lower case name to its number and list.

    Numbers begin with 1.
    """
    index: dict[str, tuple[int, tuple[str, ...]]] = {}
    for forms in table.values():
        for form in forms:
            names = tuple(form.split())
            for number, name in enumerate(names, start=1):
                index.setdefault(name.lower(), (number, names))
    return index


MONTH_INDEX = _index(_MONTHS)

for _plain, _proper in _SPELLINGS_WITHOUT_ACCENT.items():
    MONTH_INDEX.setdefault(_plain, MONTH_INDEX[_proper])
WEEKDAY_INDEX = _index(_WEEKDAYS)

MONTH_NAMES = frozenset(map(fold, MONTH_INDEX))
"""Folded names and abbreviations of months in every supported language."""

DAY_AND_MONTH_NAMES = frozenset(
    fold(name)
    for table in (_WEEKDAYS, _MONTHS)
    for full, short in table.values()
    for name in f"{full} {short}".split()
    if len(name) > 3
)
"""Folded names of weekdays and months, of more than three letters."""
