"""The secret of a run: the caller's, the one that the run was begun with, or a new one in the user's key folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.identity.key_folder import find_secret, key_folder, new_secret, write_secret
from healthcare_deid.engine.identity.places import refuse_in
from healthcare_deid.engine.identity.secret import ProjectSecret
from healthcare_deid.engine.runs.manifest import Manifest
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from healthcare_deid.engine.runs.engine import Engine


def with_secret(deidentifier: Engine, manifest: Manifest | None, *, anew: bool, adopt: bool) -> tuple[Engine, str]:
    """Return a deidentifier that does the same tomorrow, and the place of its secret where that is not the caller's.

    Args:
        deidentifier: The caller's.
        manifest: Of the run that goes on.
        anew: Make results again: a secret that is lost is then no loss.
        adopt: There are results of an unknown run: only the caller can know their secret.

    Raises:
        RunRefused: The run's secret cannot be found.
    """
    if deidentifier.options.secret is not None or not deidentifier.needs_secret:
        return deidentifier, ""
    if adopt:
        raise RunRefused(
            "the config needs a key, and nobody knows that of the results which are there: give the secret"
        )
    fingerprint = manifest.secret if manifest is not None else None
    path: Path | None = None
    if manifest is not None and fingerprint is not None:
        path = find_secret(fingerprint)
        if path is None and not anew:
            raise RunRefused(
                f"the secret of this run (fingerprint {fingerprint}) cannot be found; it was in "
                f"{manifest.secret_place or 'a place of its own'}: give it, or bring it back to {key_folder()}"
            )
    if path is None:
        path = new_secret()
    return deidentifier.with_secret(path), f"the key folder {path.parent}"


def make_secret(path: Path, run: Path, places: Collection[Path]) -> str:
    """Make the secret of a run that is to begin, in a file for its owner only, and return its fingerprint.

    Args:
        path: The file, which does not exist.
        run: The run folder, whether it exists or not.
        places: Where secrets may not be: the originals and the results.

    Raises:
        RunRefused: The run goes on, and needs the secret that it was begun with.
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
    return ProjectSecret(path).fingerprint
