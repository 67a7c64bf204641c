"""The address of the server, and what is on the way to it."""

from __future__ import annotations

import errno
import ipaddress
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmaas_client.running import address_in
from llmaas_server.cli.holders import holder_of
from llmaas_server.cli.listener import resolve, url_of, version_at

from .finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from llmaas_server.settings import Settings

HUB = "https://huggingface.co"
NETWORK_SECONDS = 10.0
SOON = timedelta(days=21)
"""Before the end of a certificate."""
_TRIED = 20
"""Ports above the one that is taken."""


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the server could listen there, and who does."""
    host, number = settings.host, settings.port
    where = f"{host}:{number}"
    if number == 0:
        yield Finding("port", "ok", "the system chooses a free one")
        return
    if (error := _binding(host, number)) is None:
        yield Finding("port", "ok", f"{where} is free")
        return
    if error.errno != errno.EADDRINUSE:
        found = f"{where}: {error.strerror}"
        remedy = (
            "llmaas serve --port 8000" if error.errno == errno.EACCES else "set host to 127.0.0.1"
        )
        yield Finding("port", "wrong", found, remedy)
        return
    running = address_in(settings.home)
    free = next((n for n in range(number + 1, number + _TRIED) if _binding(host, n) is None), None)
    remedy = f"llmaas serve --port {free or 0}"
    if version := version_at(host, number):
        found = f"an llmaas server, version {version}, answers at {where}"
        if running is not None:
            yield Finding("port", "ok", found)
        else:
            yield Finding("port", "weak", f"{found}; it has another home than this", remedy)
        return
    who = holder_of(number)
    by = f" by {who}" if who else ""
    yield Finding("port", "wrong", f"{where} is in use{by}, which is no llmaas server", remedy)


def _binding(host: str, number: int) -> OSError | None:
    """Why nothing can be bound there. Nobody could connect meanwhile: it does not listen."""
    found = resolve(host, number)
    if found is None:
        return OSError(errno.EADDRNOTAVAIL, f"the host {host!r} has no address")
    family, kind, protocol, _, address = found
    with closing(socket.socket(family, kind, protocol)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(address)
        except OSError as error:
            return error
    return None


def encryption(settings: Settings) -> Iterator[Finding]:
    """Whether the server would speak there as it is set."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        yield from certificate("tls", settings.tls_cert, settings.tls_key)
        yield from _names(settings, settings.tls_cert)
    elif reaches_far(settings) and not settings.behind_proxy:
        found = (
            f"{settings.host} can be reached from other machines without encryption: the server "
            "will not start"
        )
        remedy = "llmaas tls dev-cert, and what it prints; or set behind_proxy, or host = 127.0.0.1"
        yield Finding("tls", "wrong", found, remedy)
    else:
        yield Finding("tls", "ok", "not needed at this address")


def certificate(what: str, cert: Path, key: Path) -> Iterator[Finding]:
    """Whether a certificate can be used, and for how long."""
    from llmaas_server.edge.certificates import CertificateError
    from llmaas_server.edge.tls import Tls

    try:
        read = Tls(cert, key).certificate
    except CertificateError as error:
        yield Finding(what, "wrong", str(error), "llmaas tls dev-cert, or get a new one")
        return
    found = f"https by {cert}, good until {read.until:%Y-%m-%d}"
    if read.until - datetime.now(UTC) < SOON:
        yield Finding(what, "weak", found, "get a new one, then send SIGHUP to the server")
    else:
        yield Finding(what, "ok", found)


def _names(settings: Settings, cert: Path) -> Iterator[Finding]:
    """Names that the certificate has, and the server does not answer to."""
    from llmaas_server.edge.certificates import Certificate, CertificateError

    try:
        names = Certificate.read(cert).names
    except CertificateError:
        return  # said already
    refused = [
        name
        for name in names
        if not _is_number(name) and name not in ("localhost", *settings.allowed_hosts)
    ]
    if refused:
        found = f"requests to {', '.join(refused)}, which the certificate names, get 403"
        yield Finding("tls", "weak", found, f"set allowed_hosts = {refused}".replace("'", '"'))


def proxy(settings: Settings) -> Iterator[Finding]:
    """Whether other programs would ask a proxy for what is on this machine. Our client never does,
    and no address of a proxy is told: it may have a password in it."""
    proxies = urllib.request.getproxies()
    caught = [name for name in ("http", "https", "all") if name in proxies]
    if caught and not urllib.request.proxy_bypass("127.0.0.1"):
        found = (
            f"programs such as curl ask the proxy in {caught[0].upper()}_PROXY for "
            f"{url_of('127.0.0.1', settings.port)}"
        )
        yield Finding("proxy", "weak", found, "export NO_PROXY=localhost,127.0.0.1,::1")
    else:
        yield Finding("proxy", "ok", "none on the way to this machine")


def hub() -> Iterator[Finding]:
    """Whether models can be fetched."""
    request = urllib.request.Request(HUB, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=NETWORK_SECONDS).close()
    except urllib.error.HTTPError:
        pass  # it answered, and that is what was asked
    except OSError as error:
        found = f"{HUB} cannot be reached: {getattr(error, 'reason', error)}"
        remedy = "check the proxy (HTTPS_PROXY); the models in wheels need no hub"
        yield Finding("hub", "weak", found, remedy)
        return
    yield Finding("hub", "ok", f"{HUB} answers")


def reaches_far(settings: Settings) -> bool:
    """Whether other machines can reach the server."""
    if _is_number(settings.host):
        return not ipaddress.ip_address(settings.host).is_loopback
    return settings.host != "localhost"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
