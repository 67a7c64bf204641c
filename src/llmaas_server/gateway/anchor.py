"""The head of the audit trail, signed, in a file outside the database.

A chain alone does not show that its end was cut off, or that all of it was written anew. So its
head is signed (Ed25519) and appended to a file, at most WINDOW_SECONDS after each change. What
the file protects from is whoever can write the database and not the file: best it lies on another
machine, or where one can only append.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from llmaas_server.errors import Problem
from llmaas_server.storage.audit import AuditRow, CheckpointRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .clock import Clock
from .keychain import Keychain
from .trail import Trail

FOLDER = "audit"
FILE_NAME = "heads.jsonl"
WINDOW_SECONDS = 1.0

_SIGNED = b"llmaas audit head 1\0"

log = logging.getLogger(__name__)


def anchor_path(home: Path, named: Path | None = None) -> Path:
    """Where the heads are kept: where the settings say, or in `home`."""
    return named or home / FOLDER / FILE_NAME


def sign(key: Ed25519PrivateKey, head: AuditRow, now: int) -> CheckpointRow:
    signature = key.sign(_message(head.seq, head.hash, now))
    return CheckpointRow(head.seq, head.hash, now, signer(key.public_key()), signature)


def is_signed(checkpoint: CheckpointRow, signers: dict[str, Ed25519PublicKey]) -> bool:
    """Whether one of these keys signed it."""
    key = signers.get(checkpoint.signed_by)
    if key is None:
        return False
    message = _message(checkpoint.seq, checkpoint.hash, checkpoint.at)
    try:
        key.verify(checkpoint.signature, message)
    except InvalidSignature:
        return False
    return True


def signer(key: Ed25519PublicKey) -> str:
    """The id of a key that signs."""
    return "sig_" + hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def signers(keychain: Keychain) -> dict[str, Ed25519PublicKey]:
    """The keys that may have signed heads of this server."""
    keys = (key.public_key() for key in keychain.signing_keys())
    return {signer(key): key for key in keys}


class _Line(msgspec.Struct, frozen=True):
    """One line of the file; bytes in hex."""

    seq: int
    hash: str
    at: int
    signed_by: str
    signature: str


class AnchorFile:
    """Signed heads, one JSON object a line, only ever added to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, checkpoint: CheckpointRow) -> None:
        """Add a head; it is on the disk when this returns. Blocks."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self.path, flags, 0o600)
        try:
            os.write(file, _line_break(file) + _encode(checkpoint))
            os.fsync(file)
        finally:
            os.close(file)

    def read(self) -> list[CheckpointRow]:
        """All heads, the oldest first. Blocks.

        A line that cannot be read, as after a power cut, counts as missing.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [head for line in lines if (head := _decode(line)) is not None]

    def rewrite(self, heads: Iterable[CheckpointRow]) -> Path | None:
        """Begin a new file with these heads; where the old one lies now. Blocks."""
        kept = None
        if self.path.exists():
            kept = _free_name(self.path)
            self.path.rename(kept)
        for head in heads:
            self.append(head)
        return kept


@dataclass(slots=True)
class Anchoring:
    """Keeps the file up to the head of the trail."""

    database: Database
    trail: Trail
    keychain: Keychain
    file: AnchorFile
    clock: Clock
    last: bytes | None = None
    """The hash of the newest head in the file."""

    async def start(self) -> None:
        """Compare what is there, and anchor what a sudden end left without."""
        heads = await asyncio.to_thread(self.file.read)
        if heads:
            newest = heads[-1]
            self.last = newest.hash
            row = await self.database.read(lambda tables: tables.audit.get(newest.seq))
            if row is None or row.hash != newest.hash:
                log.error(
                    "the audit trail in the database does not fit %s: it was cut or rewritten; "
                    "`llmaas audit verify` says where",
                    self.file.path,
                )
        self.trail.changed.set()
        await self.anchor()

    async def run(self) -> None:
        """Anchor what changes, until cancelled."""
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            try:
                await self.anchor()
            except (Problem, OSError) as error:
                log.error("the audit trail cannot be anchored now: %s", error)

    async def anchor(self) -> None:
        """Sign the head and keep it, where there is a new one."""
        if not self.trail.changed.is_set():
            return
        self.trail.changed.clear()
        try:
            # As a unit that writes: after those that set the flag.
            head = await self.database.write(lambda tables: tables.audit.head())
            if head is None or head.hash == self.last:
                return
            checkpoint = sign(self.keychain.signing_key(), head, self.clock())
            # The file first: a checkpoint in the database that the file lacks shows a cut file.
            await asyncio.to_thread(self.file.append, checkpoint)
            self.last = head.hash
            await self.database.write(lambda tables: _keep(tables, checkpoint))
        except BaseException:
            self.trail.changed.set()
            raise


def _keep(tables: Tables, checkpoint: CheckpointRow) -> None:
    if tables.checkpoints.get(checkpoint.seq) is None:
        tables.checkpoints.add(checkpoint)


def _message(seq: int, head: bytes, at: int) -> bytes:
    return _SIGNED + msgspec.msgpack.encode((seq, head, at))


def _encode(row: CheckpointRow) -> bytes:
    line = _Line(row.seq, row.hash.hex(), row.at, row.signed_by, row.signature.hex())
    return msgspec.json.encode(line) + b"\n"


def _decode(line: bytes) -> CheckpointRow | None:
    try:
        read = msgspec.json.decode(line, type=_Line)
        digest, signature = bytes.fromhex(read.hash), bytes.fromhex(read.signature)
    except ValueError:  # msgspec's errors are ValueErrors too
        return None
    return CheckpointRow(read.seq, digest, read.at, read.signed_by, signature)


def _line_break(file: int) -> bytes:
    """What ends a line that a power cut left unfinished."""
    size = os.fstat(file).st_size
    return b"" if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n"


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return name
