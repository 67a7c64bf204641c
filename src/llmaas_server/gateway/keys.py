"""Keys: made here, kept hashed, compared in constant time.

A key is 256 random bits, so one fast hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from pydantic import ValidationError

from llmaas_client.wire.credentials import FILE_NAME as CREDENTIALS
from llmaas_client.wire.credentials import Credentials, ServerCredentials

FILE_NAME = "keys.json"

_FORM = re.compile(r"llmaas_[A-Za-z0-9_-]{43}")


class KeyFileError(Exception):
    """A file of keys is damaged. Nothing is overwritten: its owner decides."""


def mint() -> str:
    """A new key."""
    return f"llmaas_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """What the server keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyRing:
    """The keys that a server knows, by their digests."""

    def __init__(self, digests: tuple[str, ...]) -> None:
        self._digests = digests

    @classmethod
    def read(cls, home: Path) -> KeyRing:
        """The ring in `home`; empty where there is none yet."""
        file = home / FILE_NAME
        if not file.exists():
            return cls(())
        try:
            kept = msgspec.json.decode(file.read_bytes(), type=_KeyFile)
        except msgspec.MsgspecError as error:
            raise KeyFileError(f"{file} is damaged: move it away for a new key") from error
        return cls(tuple(kept.sha256))

    def find(self, key: str) -> str | None:
        """The id of the key, None where it is unknown.

        What does not look like a key costs no hash; every known key costs one comparison.
        """
        if not _FORM.fullmatch(key):
            return None
        offered = digest(key)
        found = [known for known in self._digests if hmac.compare_digest(known, offered)]
        return key_id(found[0]) if found else None


def key_id(known: str) -> str:
    """A name for a key that gives nothing away."""
    return f"key_{known[:16]}"


def bootstrap(home: Path, base_url: str) -> None:
    """See that the user of this machine has a key for the server at `base_url`.

    The server's file gets the digest, the client's file the key; both are readable by their owner
    alone. A key that the server knows already serves every address of the same home.
    """
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    with _locked(home):
        ring = KeyRing.read(home)
        credentials = _read_credentials(home)
        key = _known_key(ring, credentials)
        if key is None:
            key = mint()
            kept = _KeyFile([*ring._digests, digest(key)])
            _write(home / FILE_NAME, msgspec.json.encode(kept))
        servers = {**credentials.servers, base_url: ServerCredentials(inference_key=key)}
        if servers != credentials.servers:
            content = Credentials(servers=servers).model_dump_json(indent=2)
            _write(home / CREDENTIALS, content.encode())


class _KeyFile(msgspec.Struct, frozen=True):
    sha256: list[str]


def _read_credentials(home: Path) -> Credentials:
    file = home / CREDENTIALS
    if not file.exists():
        return Credentials()
    try:
        return Credentials.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise KeyFileError(f"{file} is damaged: move it away for a new one") from error


def _known_key(ring: KeyRing, credentials: Credentials) -> str | None:
    keys = (server.inference_key for server in credentials.servers.values())
    return next((key for key in keys if ring.find(key)), None)


def _write(file: Path, content: bytes) -> None:
    """All or nothing, readable by the owner alone from the first byte on."""
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Two servers that start at once take turns."""
    with os.fdopen(os.open(home / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
