"""TLS in this process: one certificate at a time, exchanged while connections are open."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

from .certificates import Certificate, CertificateError

logger = logging.getLogger("llmaas.tls")


class Tls:
    """The certificate that new handshakes get. Connections that are open keep theirs."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises CertificateError."""
        self._cert = cert
        self._key = key
        self._current, self.certificate = _load(cert, key)

    def context(self) -> ssl.SSLContext:
        """What to listen with: it turns to the newest certificate at each handshake."""
        context, _ = _load(self._cert, self._key)
        # Of all that could be exchanged under a listening socket, OpenSSL asks for this alone.
        context.sni_callback = self._turn
        return context

    def reload(self) -> bool:
        """Read both files again. Where they are broken all stays as it is, and the log says why."""
        try:
            self._current, self.certificate = _load(self._cert, self._key)
        except CertificateError as error:
            logger.error("the certificate stays as it was: %s", error)
            return False
        logger.info("new connections get the certificate read now from %s", self._cert)
        return True

    def _turn(self, connection: Any, name: str | None, listening: ssl.SSLContext) -> None:
        connection.context = self._current


def _load(cert: Path, key: Path) -> tuple[ssl.SSLContext, Certificate]:
    """Raises CertificateError."""
    certificate = Certificate.read(cert)
    if certificate.is_over:
        raise CertificateError(f"{cert} ended on {certificate.until:%Y-%m-%d}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An empty password: OpenSSL would else ask for one at the terminal, and wait.
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise CertificateError(f"{cert} and {key} do not go together: {reason}") from None
    except OSError as error:
        raise CertificateError(f"{key} cannot be read: {error.strerror}") from None
    return context, certificate
