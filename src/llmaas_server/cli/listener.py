"""The socket that the server listens on, and who else may be there."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import socket
import ssl

PROBE_SECONDS = 1.0


class CannotListen(Exception):
    """Nobody can be served at that address now; one line, and `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def listen(host: str, port: int, *, is_private: bool) -> socket.socket:
    """A listening socket, so that from here on the address is ours. Raises CannotListen.

    `is_private` says that what goes over it is encrypted, here or by a proxy.
    """
    found = resolve(host, port)
    if found is None:
        raise CannotListen(f"the host {host!r} has no address", "use --host 127.0.0.1")
    family, kind, protocol, _, address = found
    if not is_private and not is_loopback(str(address[0])):
        raise CannotListen(
            f"{host} can be reached from other machines, and keys and texts would cross the "
            "network unencrypted",
            "give it a certificate with --tls-cert and --tls-key, or name the proxies that speak "
            "TLS in front of it with --behind-proxy",
        )
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()
    except OSError as error:
        sock.close()
        raise CannotListen(*_reason(error, host, port)) from error
    return sock


def base_url(sock: socket.socket, certified: str | None = None) -> str:
    """Where a listening socket is asked on this machine; see `local_url`."""
    host, port = sock.getsockname()[:2]
    return local_url(host, port, certified)


def local_url(host: str, port: int, certified: str | None = None) -> str:
    """The address to type on this machine: the loopback for a server that listens everywhere, and
    for https the name that is certified. `host` is an address of numbers."""
    if certified is not None:
        return url_of(certified, port, "https")
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return url_of(str(address), port)


def url_of(host: str, port: int, scheme: str = "http") -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


_Resolved = tuple[
    socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]
]


def resolve(host: str, port: int) -> _Resolved | None:
    """The first address of a host to listen on, as `socket.getaddrinfo` has it."""
    try:
        return socket.getaddrinfo(  # type: ignore[return-value]
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        return None


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def version_at(host: str, port: int) -> str | None:
    """The version of the llmaas server that answers there, None where it is something else."""
    plain = http.client.HTTPConnection(host, port, timeout=PROBE_SECONDS)
    # Whoever it is: nothing is told to them, and what they say is only shown.
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    secure = http.client.HTTPSConnection(host, port, timeout=PROBE_SECONDS, context=unchecked)
    return _version_by(plain) or _version_by(secure)


def _version_by(connection: http.client.HTTPConnection) -> str | None:
    try:
        connection.request("GET", "/health/live")
        found = json.loads(connection.getresponse().read(1000))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return str(found["version"]) if isinstance(found, dict) and "version" in found else None


def _reason(error: OSError, host: str, port: int) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        version = version_at(host, port)
        who = f"an llmaas server, version {version}, answers there" if version else "it is in use"
        return f"cannot listen on port {port}: {who}", "stop it, or take another: --port N"
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}", "take one above 1023: --port N"
    return f"cannot listen on {host}:{port}: {error.strerror}", "check --host and --port"
