"""Certificates: what one says, and making one to try things out."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
CLOCKS_DIFFER = timedelta(hours=1)


class CertificateError(Exception):
    """A certificate cannot be used; one line that says which, and why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of the server."""

    names: tuple[str, ...]
    """Host names and addresses, in its own order."""
    until: datetime

    @classmethod
    def read(cls, path: Path) -> Certificate:
        """The first certificate in a PEM file. Raises CertificateError."""
        try:
            found = x509.load_pem_x509_certificate(path.read_bytes())
        except OSError as error:
            raise CertificateError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise CertificateError(f"{path} is not a certificate in PEM format") from None
        try:
            said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return cls((), found.not_valid_after_utc)
        names = said.get_values_for_type(x509.DNSName)
        addresses = said.get_values_for_type(x509.IPAddress)
        return cls((*names, *map(str, addresses)), found.not_valid_after_utc)

    @property
    def is_over(self) -> bool:
        return datetime.now(UTC) >= self.until

    @property
    def local_name(self) -> str:
        """By which name a client on this machine may ask; it must be one that is certified."""
        return next(
            (name for name in ("127.0.0.1", "localhost", *self.names) if self.certifies(name)),
            "127.0.0.1",
        )

    def certifies(self, name: str) -> bool:
        return name in self.names and "*" not in name


@dataclass(frozen=True, slots=True)
class DevCertificate:
    """PEM: the authority that clients must trust, the server's certificate, and its key."""

    authority: bytes
    certificate: bytes
    key: bytes


def make(names: Sequence[str], days: int) -> DevCertificate:
    """A certificate for `names`, by an authority that can sign no other: its key is forgotten."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    title = _title("llmaas development authority")
    authority = (
        _builder(title, title, authority_key.public_key(), authority_key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_title(names[0]), title, key.public_key(), authority_key.public_key(), days)
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(authority_key, hashes.SHA256())
    )
    return DevCertificate(
        authority.public_bytes(serialization.Encoding.PEM),
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _title(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
