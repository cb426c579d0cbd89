"""Secret of a run: the caller's, the one the run started with, or a new one in the user's key folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.identity.key_folder import find_secret, key_folder, new_secret, write_secret
from healthcare_deid.engine.identity.places import refuse_in
from healthcare_deid.engine.identity.secret import ProjectSecret
from healthcare_deid.engine.runs.manifest import Manifest
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from healthcare_deid.engine.runs.engine import Engine

_LOG = logging.getLogger(__name__)


class WithSecret(NamedTuple):
    """A deidentifier with a lasting secret.

    Attributes:
        deidentifier: The deidentifier.
        place: Place of the secret; empty if the caller gave it, or if none is needed.
        made: File of the secret if it was made now: a run that does not start removes it.
    """

    deidentifier: Engine
    place: str = ""
    made: Path | None = None


def with_secret(deidentifier: Engine, manifest: Manifest | None, *, anew: bool, adopt: bool) -> WithSecret:
    """Return a deidentifier with a lasting secret.

    Args:
        deidentifier: The caller's.
        manifest: Manifest of the run to continue.
        anew: Whether all results are created again, so that a lost secret may be replaced.
        adopt: Whether results of an unknown run are adopted. Only the caller can know their secret.

    Raises:
        RunRefused: The run's secret cannot be found.
    """
    if deidentifier.options.secret is not None or not deidentifier.needs_secret:
        return WithSecret(deidentifier)
    if adopt:
        raise RunRefused("the config needs a key, and that of the existing results is not known: give the secret")
    fingerprint = manifest.secret if manifest is not None else None
    path = made = None
    if manifest is not None and fingerprint is not None:
        path = find_secret(fingerprint)
        if path is None and not anew:
            where = f"in {manifest.secret_place}" if manifest.secret_place else "given with the command that began it"
            raise RunRefused(
                f"the secret of this run (fingerprint {fingerprint}) is missing: it was {where}. Give it "
                f"(--secret-file, or secret=), or put a copy into the key folder {key_folder()}"
            )
    if path is None:
        path = made = new_secret()
    return WithSecret(deidentifier.with_secret(path), f"the key folder {path.parent}", made)


def make_secret(path: Path, run: Path, places: Collection[Path]) -> None:
    """Create the secret of a new run in a file for its owner only, and say so.

    Args:
        path: The file, which does not exist.
        run: The run folder, which may not exist yet.
        places: Folders that must not hold the secret: originals and results.

    Raises:
        RunRefused: The run has started before, and needs its own secret.
        ValueError: The file would be in one of the places, or in the run folder.
        OSError: It cannot be written.
    """
    refuse_in("secret", path, (*places, run))
    manifest = Manifest.read(run)
    if manifest is not None and manifest.secret is not None:
        raise RunRefused(
            f"the secret's file does not exist, and this run was begun with a secret (fingerprint {manifest.secret}): "
            "give that one, or another run folder and destination"
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path)
    announce(path)


def announce(path: Path) -> None:
    """Log a new secret: its place, its fingerprint and what it is for. Without logging, it goes to standard error."""
    _LOG.warning(
        "a new secret was made: %s, fingerprint %s\n"
        "Dates, hashes, UIDs and pseudonyms of these results are derived from it. Keep it, away from the results: "
        "without it nobody makes the same again.",
        path,
        ProjectSecret(path).fingerprint,
    )
