"""A set of instances in the manner of MIDI-B: identity planted all over, clinical wording that must stay, and the key.

The MIDI-B challenge (MICCAI 2024) scores de-identification by actions: texts removed and retained, dates shifted,
UIDs and patient IDs replaced consistently, attributes and pixels retained. This set asks for the same actions, but for
burned-in text, which ``pixel_set.py`` has. Everything is invented and was written without a look at the engine. The
same seed and release of faker give the same bytes. `TUNING_SEED` is for looking at what goes wrong; `HELD_OUT_SEED`
draws from phrases, cues and words that the tuning seed never shows.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Final

from midi_builder import Builder, Deal
from midi_key import Instance
from midi_modalities import MODALITIES
from midi_people import patient
from midi_values import new_uid
from midi_words import Half, Phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

TUNING_SEED: Final = 20261130
HELD_OUT_SEED: Final = 748_155_203
PATIENTS: Final = 33
STUDIES: Final = 2
INSTANCES: Final = 2


def half_of_seed(seed: int) -> Half:
    """Return which half of the phrases, cues and words a seed draws from."""
    return "held-out" if seed == HELD_OUT_SEED else "tuning"


def midi_set(seed: int, *, patients: int = PATIENTS) -> Iterator[Instance]:
    """Yield the instances of a set.

    Args:
        seed: Of everything random.
        patients: How many; fewer make a smaller set that does not show every kind.
    """
    half = half_of_seed(seed)
    rng = random.Random(f"midi/{seed}")
    deal = Deal(rng, half)
    phrases = Phrases(rng, half)
    turn = 0
    for index in range(patients):
        who = patient(rng, index, half)
        for study in range(STUDIES):
            day = who.first_study + dt.timedelta(days=study * rng.randint(20, 400))
            study_uid, frame_uid = new_uid(rng), new_uid(rng)
            for number in range(INSTANCES):
                modality = MODALITIES[turn % len(MODALITIES)]
                turn += 1
                name = f"p{index:02d}s{study}i{number}-{modality}.dcm"
                instance = Instance(name, who, modality)
                builder = Builder(instance, rng, deal, phrases, half)
                builder.build(study_uid, frame_uid, day, number, turn)
                yield instance
