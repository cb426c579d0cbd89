"""Combination of overlapping findings, so that nothing found stays uncovered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import GUESS, LISTED_PLACE
from healthcare_deid.engine.text.find.detectors.name_runs import NAMES
from healthcare_deid.engine.text.find.detectors.words import tokens_of
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def resolve(candidates: Iterable[tuple[int, Match]], text: str) -> list[Match]:
    """Resolve overlaps of ``(rank, finding)`` pairs; a lower rank wins.

    Overlapping findings of one infoType are joined. Of equal ranks, the longer wins. A part that extends beyond a
    winning finding becomes its own finding, if it has a letter or digit.
    """
    kept: list[Match] = []
    for cluster in _clusters(_united(candidates)):
        kept += _resolve_cluster(cluster, text) if len(cluster) > 1 else [cluster[0][1]]
    return sorted(kept, key=lambda match: match.start)


def _resolve_cluster(cluster: list[tuple[int, Match]], text: str) -> list[Match]:
    kept: list[Match] = []
    for _, match in sorted(cluster, key=lambda pair: (pair[0], pair[1].start - pair[1].end, pair[1].start)):
        pieces = [(match.start, match.end)]
        for other in kept:
            pieces = [piece for span in pieces for piece in _without(span, other)]
        whole = pieces == [(match.start, match.end)]
        for start, end in pieces if whole else [_trimmed(text, *piece) for piece in pieces]:
            if start < end:
                kept.append(Match(start, end, match.info_type))
    return kept


def _clusters(candidates: list[tuple[int, Match]]) -> list[list[tuple[int, Match]]]:
    """Group findings that are connected by overlaps."""
    clusters: list[list[tuple[int, Match]]] = []
    end = -1
    for pair in sorted(candidates, key=lambda pair: pair[1].start):
        if pair[1].start < end:
            clusters[-1].append(pair)
        else:
            clusters.append([pair])
        end = max(end, pair[1].end)
    return clusters


def without_refuted(candidates: Sequence[tuple[int, Match]], text: str) -> tuple[tuple[int, Match], ...]:
    """Drop uncertain findings that overlap a more certain one of another infoType.

    Also drops a town inside a person's name: Ferndale in Marisol Ferndale-Ostrowski.
    """
    kept: list[tuple[int, Match]] = []
    for every in _clusters(list(candidates)):
        if len(every) == 1:
            kept += every
            continue
        facilities = {(match.start, match.end) for _, match in every if match.info_type == "ORGANIZATION_NAME"}
        cluster = [
            (rank, match)
            for rank, match in every
            if not _is_in_a_name(rank, match, every, text) and not _is_in_a_facility(match, facilities)
        ]
        kept += [
            (rank, match)
            for rank, match in cluster
            if rank < GUESS or not any(other < rank and _refutes(surer, match, text) for other, surer in cluster)
        ]
    return tuple(kept)


def _is_in_a_name(rank: int, place: Match, cluster: Sequence[tuple[int, Match]], text: str) -> bool:
    """Return whether a single listed town is part of a longer name of a person."""
    if rank != LISTED_PLACE or len(tokens_of(text[place.start : place.end])) != 1:
        return False
    for other, name in cluster:
        if other != GUESS or name.info_type != "PERSON_NAME" or not name.start <= place.start <= place.end <= name.end:
            continue
        outside = text[name.start : place.start] + "\n" + text[place.end : name.end]
        if "," not in outside and any(token.kind in NAMES for token in tokens_of(outside)):
            return True
    return False


def _is_in_a_facility(name: Match, facilities: Collection[tuple[int, int]]) -> bool:
    """Return whether a person's name is the beginning of a facility's: performed by Frostbay Rehabilitation Unit."""
    return name.info_type == "PERSON_NAME" and any(start == name.start and name.end < end for start, end in facilities)


def _refutes(surer: Match, guess: Match, text: str) -> bool:
    if surer.info_type == guess.info_type or guess.end <= surer.start or surer.end <= guess.start:
        return False
    # A name that extends beyond a place may still be a person's: Whitney in "Houston, Whitney".
    outside = text[guess.start : max(guess.start, surer.start)], text[min(guess.end, surer.end) : guess.end]
    return not any(token.kind in NAMES for part in outside for token in tokens_of(part))


def _united(candidates: Iterable[tuple[int, Match]]) -> list[tuple[int, Match]]:
    """Join overlapping findings of one infoType, with the best rank among them."""
    united: list[tuple[int, Match]] = []
    for rank, match in sorted(candidates, key=lambda pair: (pair[1].info_type, pair[1].start)):
        last_rank, last = united[-1] if united else (0, None)
        if last and last.info_type == match.info_type and match.start < last.end:
            united[-1] = min(rank, last_rank), Match(last.start, max(last.end, match.end), last.info_type)
        else:
            united.append((rank, match))
    return united


def _without(span: tuple[int, int], other: Match) -> list[tuple[int, int]]:
    start, end = span
    if other.end <= start or end <= other.start:
        return [span]
    return [(low, high) for low, high in ((start, other.start), (other.end, end)) if low < high]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Trim characters other than letters and digits from both ends."""
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end


_JOINED = frozenset({"PERSON_NAME", "LOCATION", "ORGANIZATION_NAME", "CTX"})


def join_alike(matches: list[Match], text: str) -> list[Match]:
    """Join adjacent findings of one infoType that only name punctuation separates."""
    joined: list[Match] = []
    for match in matches:
        last = joined[-1] if joined else None
        if (
            last
            and last.info_type == match.info_type
            and match.info_type in _JOINED
            and not text[last.end : match.start].strip(" ^,=-'")
        ):
            joined[-1] = Match(last.start, match.end, match.info_type)
        else:
            joined.append(match)
    return joined
