"""What `llmaas doctor --security` looks at: how well the server on this machine is kept."""

from __future__ import annotations

import ipaddress
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .checks.finding import Check, Finding
from .checks.network import certificate, reaches_far
from .opening import heads_of, source_of, url_of

if TYPE_CHECKING:
    from llmaas_server.settings import Settings
    from llmaas_server.storage.keys import KeyRow
    from llmaas_server.storage.reader import Reader

OLD_DAYS = 365
UNUSED_DAYS = 90
NAMED = 5
"""Of the keys that a finding is about."""

LEAST_VERSIONS = {
    "cryptography": "44.0.1",  # CVE-2024-12797: OpenSSL in its wheels
    "h11": "0.16.0",  # CVE-2025-43859: request smuggling by chunked bodies
    "httpcore": "1.0.9",  # needs h11 0.16
    "jinja2": "3.1.6",  # CVE-2025-27516: templates escape their sandbox
    "starlette": "0.49.1",  # CVE-2025-62727: Range headers that take endless time
    "torch": "2.6.0",  # CVE-2025-32434: torch.load runs code
}
"""The first versions without flaws that this server would suffer from. `pip-audit` knows all."""


def files(settings: Settings) -> Iterator[Finding]:
    """What lies in the home is its owner's alone."""
    home = settings.home
    if not home.exists():
        yield Finding("files", "ok", f"{home} will be made by `llmaas serve`")
        return
    open_ones = [path for path in (home, *sorted(home.rglob("*"))) if _is_open(path)]
    if open_ones:
        named = ", ".join(map(str, open_ones[:NAMED]))
        found = f"others may read {len(open_ones)} of {home}: {named}"
        yield Finding("files", "wrong", found, f"chmod -R go= {home}")
    else:
        yield Finding("files", "ok", f"all of {home} is its owner's alone")
    elsewhere = [settings.config, settings.tls_key]
    for path in (one for one in elsewhere if one is not None and one.exists() and _is_open(one)):
        kept = path == settings.tls_key or settings.encryption_key or settings.database_url
        if kept:
            yield Finding("files", "wrong", f"others may read {path}", f"chmod go= {path}")


def encryption_key(settings: Settings) -> Iterator[Finding]:
    """Where the key lies that encrypts all others."""
    name = source_of(settings).name
    beside = settings.encryption_key is None and settings.encryption_key_command is None
    if beside and reaches_far(settings):
        yield Finding(
            "encryption key",
            "weak",
            f"{name} lies beside what it encrypts: a copy of the home opens all",
            "keep it elsewhere: set encryption_key_command, or LLMAAS_ENCRYPTION_KEY",
        )
    else:
        yield Finding("encryption key", "ok", name)


def network(settings: Settings) -> Iterator[Finding]:
    """Who can reach the server, and who can listen."""
    where = f"{settings.host}:{settings.port}"
    if settings.tls_cert is not None and settings.tls_key is not None:
        yield from certificate("network", settings.tls_cert, settings.tls_key)
    elif settings.behind_proxy:
        told = ", ".join(settings.behind_proxy)
        if any(ipaddress.ip_network(one).prefixlen == 0 for one in settings.behind_proxy):
            found = f"{where} takes everybody for its proxy ({told}), and their word for addresses"
            yield Finding("network", "wrong", found, "set behind_proxy to the proxy's address")
        else:
            yield Finding("network", "ok", f"{where}, only for the proxies {told}")
    elif reaches_far(settings):
        found = f"{where} can be reached from other machines without encryption"
        yield Finding("network", "wrong", found, "set tls_cert and tls_key, or behind_proxy")
    else:
        yield Finding("network", "ok", f"{where}, for this machine alone")
    if "*" in settings.allowed_origins or len(settings.allowed_origins) > NAMED:
        found = f"pages of {len(settings.allowed_origins)} origins may use the server"
        yield Finding("network", "weak", found, "name in allowed_origins only those that need it")


def registration(settings: Settings) -> Iterator[Finding]:
    if settings.registration == "open":
        found = "open: whoever reaches the server makes an account"
        yield Finding("registration", "weak", found, "set registration to invite or closed")
    else:
        yield Finding("registration", "ok", settings.registration)


def keys(settings: Settings) -> Iterator[Finding]:
    """Old, unused and endless ones."""
    with _reading(settings) as reader:
        if reader is None:
            yield Finding("keys", "ok", "none yet: the server was never started")
            return
        rows = reader.look(
            lambda tables: [
                row for one in tables.accounts.all() for row in tables.keys.of_account(one.id)
            ]
        )
    now = datetime.now(UTC)
    good = [row for row in rows if _is_good(row, now)]
    kinds: dict[str, tuple[Callable[[KeyRow], bool], str]] = {
        "never end": (lambda row: row.expires_at is None, "set key_days, and rotate them"),
        f"are older than {OLD_DAYS} days": (
            lambda row: _days(row, now) > OLD_DAYS,
            "rotate them: POST /v1/keys/ID/rotate",
        ),
        f"were not used for {UNUSED_DAYS} days": (
            lambda row: _unused(row, now) > UNUSED_DAYS,
            "revoke them: DELETE /v1/keys/ID",
        ),
    }
    weak = False
    for what, (is_so, remedy) in kinds.items():
        if found := [row.id for row in good if is_so(row)]:
            weak = True
            named = ", ".join(found[:NAMED]) + (", …" if len(found) > NAMED else "")
            yield Finding("keys", "weak", f"{len(found)} of {len(good)} {what}: {named}", remedy)
    if not weak:
        yield Finding("keys", "ok", f"{len(good)}, all in use, and all will end")


def audit_trail(settings: Settings) -> Iterator[Finding]:
    """Nothing in it was changed, cut off or written anew."""
    from llmaas_server.errors import Problem
    from llmaas_server.gateway.anchor import signers
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.gateway.keychain import Keychain
    from llmaas_server.gateway.verification import verify

    heads = heads_of(settings)
    with _reading(settings) as reader:
        if reader is None:
            yield Finding("audit trail", "ok", "none yet: the server was never started")
            return
        try:
            keychain = Keychain.load(reader, source_of(settings))
            report = reader.look(lambda tables: verify(tables, heads.read, signers(keychain)))
        except (KeychainError, OSError) as error:
            yield Finding("audit trail", "wrong", str(error), "llmaas keychain show")
            return
        except Problem as problem:
            yield Finding("audit trail", "wrong", problem.message, problem.hint)
            return
    if report.is_whole:
        found = f"{report.rows} rows are whole, up to {report.anchored} by heads in {heads.path}"
        yield Finding("audit trail", "ok", found)
    else:
        first = report.flaws[0]
        found = f"{len(report.flaws)} flaws, the first at row {first.seq}: {first.what}"
        yield Finding("audit trail", "wrong", found, "llmaas audit verify")


def versions() -> Iterator[Finding]:
    """Nothing here has a flaw that is known and mended."""
    old = []
    for name, least in LEAST_VERSIONS.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        if _numbers(found) < _numbers(least):
            old.append(f"{name} {found} (mended in {least})")
    if old:
        names = " ".join(one.partition(" ")[0] for one in old)
        yield Finding("versions", "wrong", ", ".join(old), f"pip install --upgrade {names}")
    else:
        yield Finding("versions", "ok", "no known flaws; pip-audit looks further")


def security_checks(settings: Settings) -> list[Check]:
    """In the order in which they are told."""
    checks = (files, encryption_key, network, registration, keys, audit_trail)
    return [*(partial(one, settings) for one in checks), versions]


@contextmanager
def _reading(settings: Settings) -> Iterator[Reader | None]:
    """The database, or None where there is none yet."""
    from llmaas_server.storage.failures import NoDatabase
    from llmaas_server.storage.reader import Reader

    try:
        reader = Reader.open(url_of(settings))
    except NoDatabase:
        yield None
        return
    try:
        yield reader
    finally:
        reader.close()


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _is_good(row: KeyRow, now: datetime) -> bool:
    return row.revoked_at is None and (
        row.expires_at is None or row.expires_at > now.timestamp() * 1e6
    )


def _days(row: KeyRow, now: datetime) -> float:
    """Since it was made."""
    return (now.timestamp() - row.created_at / 1e6) / 86400


def _unused(row: KeyRow, now: datetime) -> float:
    """Days."""
    if row.last_used_day is None:
        return _days(row, now)
    return now.timestamp() / 86400 - row.last_used_day


def _numbers(text: str) -> tuple[int, ...]:
    """`2.13.0+cpu` as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])
