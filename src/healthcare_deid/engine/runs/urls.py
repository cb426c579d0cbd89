"""URLs of files, and the fsspec file systems that open them."""

from __future__ import annotations

from typing import Any

from healthcare_deid.errors import ConfigError, MissingExtraError


def is_url(place: str) -> bool:
    """Return whether a location is a URL rather than a path."""
    return "://" in place


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case."""
    return url.partition("://")[0].lower()


def file_system(url: str, **options: Any) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Args:
        url: The URL.
        **options: Options for the fsspec file system.

    Raises:
        MissingExtraError: fsspec, or s3fs for ``s3://``, is not installed.
        ConfigError: fsspec does not know the scheme, or needs another package for it.
    """
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise MissingExtraError("cloud", "a URL") from None
    try:
        found: tuple[Any, str] = url_to_fs(url, **options)
    except ImportError:
        if scheme_of(url) in ("s3", "s3a"):
            raise MissingExtraError("cloud", "an s3:// URL") from None
        raise ConfigError(f"{scheme_of(url)}:// needs a package of fsspec's that is not installed") from None
    except ValueError:
        raise ConfigError("the URL has a scheme that fsspec does not know, or cannot be read") from None
    return found
