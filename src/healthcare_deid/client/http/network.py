"""Proxies and certificates that the environment names, and the connections that use them.

httplib2 uses proxies only where PySocks is installed, and ignores them silently otherwise; ``http.client`` can do HTTP
proxies itself.
"""

from __future__ import annotations

import base64
import functools
import http.client
import ipaddress
import os
import ssl
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from healthcare_deid.client.http.bounded_connection import NotConnectedError, bounded

if TYPE_CHECKING:
    from healthcare_deid.client.http.origin import Origin

_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_METADATA_SERVERS = frozenset({"metadata.google.internal", "metadata", "169.254.169.254"})
"""Reached from the machine itself only; no proxy leads there."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Proxy that the environment names. Its `repr` shows no password."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that authenticate to it."""
        if not self.user:
            return {}
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {token}"}


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy for an origin by ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

    Raises:
        NotConnectedError: The variable does not name a usable proxy.
    """
    from urllib.request import getproxies

    if origin.is_loopback or origin.host in _METADATA_SERVERS:
        return None
    proxies = getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address or _bypassed(origin):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port or (1080 if parts.scheme.startswith("socks") else 80)
    except ValueError:
        parts, port = urlsplit(""), 0
    variable = f"{origin.scheme.upper()}_PROXY"
    if not parts.hostname or parts.scheme not in {"http", "socks4", "socks4a", "socks5", "socks5h"}:
        raise NotConnectedError(f"{variable} must be of the form http://[user:password@]host[:port]", transient=False)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(parts.scheme, parts.hostname, port, user, password)


def _bypassed(origin: Origin) -> bool:
    from urllib.request import proxy_bypass

    if proxy_bypass(f"{origin.host}:{origin.port}") or proxy_bypass(origin.host):
        return True
    # urllib does not know networks in NO_PROXY, as curl and requests do: 10.0.0.0/8.
    networks = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    try:
        address = ipaddress.ip_address(origin.host)
    except ValueError:
        return False
    return any(_contains(network.strip().strip("[]"), address) for network in networks.split(","))


def _contains(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def tls_context() -> ssl.SSLContext:
    """Return the TLS settings, with the authorities that the environment names or those of httplib2.

    Raises:
        NotConnectedError: The file that a variable names cannot be used.
    """
    named = next((name for name in _CERTIFICATES if os.environ.get(name)), "")
    if not named:
        from httplib2 import certs

        return _context(certs.where())
    try:
        return _context(os.environ[named])
    except OSError:  # ssl.SSLError is one, too
        pass
    raise NotConnectedError(f"{named} does not name a readable file of certificates", transient=False)


@functools.lru_cache(maxsize=8)
def _context(path: str) -> ssl.SSLContext:
    """Return one context for all connections: reading the authorities takes 20 ms."""
    is_folder = Path(path).is_dir()
    return ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)


def connection_class(origin: Origin) -> Any:
    """Return the class of connections to an origin, through a proxy where the environment names one.

    Raises:
        NotConnectedError: The environment's proxy cannot be used.
    """
    proxy = proxy_for(origin)
    if proxy is not None and proxy.scheme != "http":
        _require_socks(origin)
    return bounded(_base(origin.scheme, origin.host, origin.port, proxy))


@functools.lru_cache(maxsize=64)
def _base(scheme: str, host: str, port: int, proxy: Proxy | None) -> Any:
    """Return a class of connections to one host, in the form that httplib2 calls."""
    base: Any = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    http_proxy = proxy if proxy is not None and proxy.scheme == "http" else None
    near = (host, port) if http_proxy is None else (http_proxy.host, http_proxy.port)

    class RoutedConnection(base):  # type: ignore[misc]
        def __init__(self, authority: str, *, timeout: float | None = None, **ignored: Any) -> None:
            del authority, ignored
            security = {"context": tls_context()} if scheme == "https" else {}
            super().__init__(*near, timeout=timeout, **security)
            if proxy is not None:
                self.route = f"the proxy {proxy!r}, which {scheme.upper()}_PROXY names,"
            if http_proxy is not None and scheme == "https":
                self.set_tunnel(host, port, http_proxy.headers)
            elif proxy is not None and http_proxy is None:
                self._create_connection = functools.partial(_through_socks, proxy)

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            absolute = http_proxy is not None and scheme == "http"
            # A proxy gets the whole URL of a request without TLS (RFC 9112 Section 3.2.2).
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
        f"{origin.scheme.upper()}_PROXY names a SOCKS proxy, which needs PySocks: pip install pysocks", transient=False
    )


def _through_socks(proxy: Proxy, address: tuple[str, int], timeout: Any, source: Any = None) -> Any:
    """Open a connection through a SOCKS proxy, in place of ``socket.create_connection``."""
    socks: Any = import_module("socks")  # optional; _require_socks has found it
    kind = socks.SOCKS5 if proxy.scheme.startswith("socks5") else socks.SOCKS4
    return socks.create_connection(
        address,
        timeout if isinstance(timeout, int | float) else None,
        source,
        kind,
        proxy.host,
        proxy.port,
        proxy.scheme in {"socks5h", "socks4a"},
        proxy.user or None,
        proxy.password or None,
    )
