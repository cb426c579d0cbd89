"""Proxies and certificates from the environment.

httplib2 supports proxies only with PySocks, and silently ignores them without it. ``http.client`` supports HTTP proxies
itself.
"""

from __future__ import annotations

import base64
import functools
import http.client
import os
import ssl
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from healthcare_deid.client.http.bounded_connection import NotConnectedError, bounded
from healthcare_deid.client.http.no_proxy import is_listed

if TYPE_CHECKING:
    from healthcare_deid.client.http.origin import Origin

_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Reachable only from the machine itself, never through a proxy.
_METADATA_SERVERS = frozenset({"metadata.google.internal", "metadata", "169.254.169.254"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """Proxy from the environment.

    Its `repr` shows no password.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that authenticate to the proxy."""
        if not self.user:
            return {}
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {token}"}


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy for an origin, or None.

    Reads ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

    Raises:
        NotConnectedError: The variable is not a valid proxy URL.
    """
    from urllib.request import getproxies

    # A proxy cannot reach this machine's own ports either.
    if origin.is_loopback or origin.host in _METADATA_SERVERS:
        return None
    proxies = getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address or _is_bypassed(origin):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port or (1080 if parts.scheme.startswith("socks") else 80)
    except ValueError:
        parts, port = urlsplit(""), 0
    variable = f"{origin.scheme.upper()}_PROXY"
    if not parts.hostname or parts.scheme not in {"http", "socks4", "socks4a", "socks5", "socks5h"}:
        raise NotConnectedError(f"{variable} must have the form http://[user:password@]host[:port]", transient=False)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(parts.scheme, parts.hostname, port, user, password)


def _is_bypassed(origin: Origin) -> bool:
    from urllib.request import getproxies_environment, proxy_bypass

    environment = getproxies_environment()
    # Without any such variable, macOS and Windows have a list of their own in the system's settings.
    return is_listed(origin, environment.get("no", "")) if environment else proxy_bypass(origin.host)


def tls_context() -> ssl.SSLContext:
    """Return TLS settings with the environment's CA certificates.

    The defaults are httplib2's CA certificates.

    Raises:
        NotConnectedError: A variable names a file that cannot be used.
    """
    named = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
    if not named:
        from httplib2 import certs

        return _context(certs.where())
    try:
        return _context(os.environ[named])
    except OSError:  # includes ssl.SSLError
        pass
    raise NotConnectedError(f"{named} is not the path of a readable certificate file", transient=False)


@functools.lru_cache(maxsize=8)
def _context(path: str) -> ssl.SSLContext:
    """Return the TLS context for a CA file.

    Cached, because reading the certificates takes 20 ms.
    """
    is_folder = Path(path).is_dir()
    return ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)


def connection_class(origin: Origin) -> Any:
    """Return the connection class for an origin, with its proxy if any.

    Raises:
        NotConnectedError: The proxy from the environment cannot be used.
    """
    proxy = proxy_for(origin)
    if proxy is not None and proxy.scheme != "http":
        _require_socks(origin)
    return bounded(_routed_connection_class(origin.scheme, origin.host, origin.port, proxy))


@functools.lru_cache(maxsize=64)
def _routed_connection_class(scheme: str, host: str, port: int, proxy: Proxy | None) -> Any:
    """Return the connection class for one host, as httplib2 calls it."""
    base: Any = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    http_proxy = proxy if proxy is not None and proxy.scheme == "http" else None
    # Through an HTTP proxy, the connection goes to the proxy. The tunnel or the absolute URL names the host.
    near = (host, port) if http_proxy is None else (http_proxy.host, http_proxy.port)

    class RoutedConnection(base):  # type: ignore[misc]
        def __init__(self, authority: str, *, timeout: float | None = None, **ignored: Any) -> None:
            # httplib2 passes its own proxy and certificate settings, which this module replaces.
            del authority, ignored
            security = {"context": tls_context()} if scheme == "https" else {}
            super().__init__(*near, timeout=timeout, **security)
            if proxy is not None:
                self.route = f"the proxy {proxy!r} from {scheme.upper()}_PROXY"
            if http_proxy is not None and scheme == "https":
                self.set_tunnel(host, port, http_proxy.headers)
            elif proxy is not None and http_proxy is None:
                # http.client calls this to open the socket, and wraps the result in TLS as usual.
                self._create_connection = functools.partial(_through_socks, proxy)

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            absolute = http_proxy is not None and scheme == "http"
            # Without TLS, a proxy needs the absolute URL in the request line (RFC 9112, 3.2.2).
            super().putrequest(method, f"http://{_authority(host, port)}{url}" if absolute else url, *args, **kwargs)
            if http_proxy is not None and absolute:
                for name, value in http_proxy.headers.items():
                    self.putheader(name, value)

    return RoutedConnection


def _authority(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == http.client.HTTP_PORT else f"{name}:{port}"


def _require_socks(origin: Origin) -> None:
    if find_spec("socks") is not None:
        return
    raise NotConnectedError(
        f"{origin.scheme.upper()}_PROXY is a SOCKS proxy, which requires PySocks: pip install pysocks", transient=False
    )


def _through_socks(proxy: Proxy, address: tuple[str, int], timeout: Any, source: Any = None) -> Any:
    """Connect through a SOCKS proxy, like ``socket.create_connection``."""
    socks: Any = import_module("socks")  # optional package; _require_socks has checked for it
    kind = socks.SOCKS5 if proxy.scheme.startswith("socks5") else socks.SOCKS4
    return socks.create_connection(
        address,
        timeout if isinstance(timeout, int | float) else None,
        source,
        kind,
        proxy.host,
        proxy.port,
        # The "h" and "a" variants let the proxy resolve the host name.
        proxy.scheme in {"socks5h", "socks4a"},
        proxy.user or None,
        proxy.password or None,
    )
