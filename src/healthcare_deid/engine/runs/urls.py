"""URLs of files, and the file systems of fsspec that open them."""

from __future__ import annotations

from typing import Any

from healthcare_deid.errors import ConfigError, MissingExtraError


def is_url(place: str) -> bool:
    """Return whether a place is a URL, and not a path."""
    return "://" in place


def scheme_of(url: str) -> str:
    """Return what stands before ``://``, in lower case."""
    return url.partition("://")[0].lower()


def file_system(url: str, **options: Any) -> tuple[Any, str]:
    """Return a URL's file system, and its path there.

    Args:
        url: The URL.
        **options: fsspec's, for the file system.

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
