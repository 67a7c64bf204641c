"""All that remembers, composed once: opened before the server serves, closed after it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from pydantic import SecretStr

from llmaas_server.errors import Problem
from llmaas_server.settings import Settings
from llmaas_server.storage.database import Database, url_of

from . import bootstrap
from .accounts import Accounts
from .anchor import AnchorFile, Anchoring, anchor_path
from .applications import Applications
from .budget import Budgets
from .classifiers import Classifiers
from .clock import SECOND, Clock, monotonic, wall
from .credentials import prepare_home
from .digests import Digests
from .erasure import Erasure
from .export import Export
from .idempotency import Idempotency, Unkept
from .inventory import Inventory, Look
from .invitations import Invitations
from .keychain import Keychain, source_of
from .keyring import KeyRing
from .keys import DAY, Keys, Lifetimes
from .ledger import Ledger
from .limiter import Limiter
from .metering import Metering
from .own_passwords import OwnPasswords
from .passwords import Passwords
from .price_list import PriceList
from .prices import Prices
from .records import Records
from .refusals import Refusals
from .registration import Registrations
from .sessions import Lasting, Sessions
from .sign_in_links import SignInLinks
from .strangers import Strangers
from .trail import Trail
from .trail_reader import TrailReader
from .usage import UsageReports
from .users import Users
from .vault import Vault

REFRESH_SECONDS = 10.0
CHORES_SECONDS = 60.0
SIGN_INS_PER_MINUTE = 10
"""From one address, and for one e-mail."""

Chore = Callable[[], Awaitable[object]]

log = logging.getLogger(__name__)


class Services:
    """The services of one server, over one database."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keychain: Keychain,
        clock: Clock = wall,
        passwords: Passwords | None = None,
    ) -> None:
        self._home = settings.home
        self._running: list[asyncio.Task[None]] = []
        self.database = database
        self.clock = clock
        self.keychain = keychain
        self.vault = Vault(database, keychain, clock)
        self.trail = trail = Trail(keychain, self.vault, clock)
        anchor = AnchorFile(anchor_path(settings.home, settings.audit_anchor))
        self.anchoring = Anchoring(database, trail, keychain, anchor, clock)
        self.digests = Digests(database, trail, clock)
        self.refusals = Refusals(database, trail, clock)
        self.trail_reader = TrailReader(database, trail, keychain, anchor, clock)
        self._inventories: list[Inventory] = []
        self.watch("settings", lambda: _told_of(settings, keychain))

        strangers = Strangers(monotonic, settings.unknown_keys_per_minute)
        self.ring = ring = KeyRing(database, keychain, clock, strangers)
        self.users = Users(keychain, self.vault)
        self.passwords = passwords or Passwords()
        self.applications = Applications(database, ring, trail, clock)
        self.accounts = Accounts(
            database, ring, self.users, self.applications, self.passwords, trail, clock
        )
        lifetimes = Lifetimes(settings.key_days, settings.key_grace_seconds)
        self.keys = Keys(database, keychain, ring, trail, clock, lifetimes)
        self.invitations = Invitations(database, keychain, trail, clock)
        self.registrations = Registrations(
            database,
            settings.registration,
            self.accounts,
            self.keys,
            self.invitations,
            self.users,
            self.passwords,
            Strangers(monotonic, SIGN_INS_PER_MINUTE),
            trail,
            self.refusals,
            clock,
        )
        lasting = Lasting(
            settings.console_idle_minutes * 60 * SECOND, settings.console_hours * 3600 * SECOND
        )
        self.sessions = Sessions(
            database, keychain, ring, self.keys, self.applications, trail, clock, lasting
        )
        self.sign_in_links = SignInLinks(database, trail, clock)
        self.own_passwords = OwnPasswords(
            database,
            ring,
            self.users,
            self.passwords,
            self.registrations,
            self.sessions,
            trail,
            clock,
        )
        self.erasure = Erasure(database, ring, self.vault, trail, clock)

        self.prices = Prices(database, clock)
        self.budgets = Budgets(database, clock)
        self.ledger = Ledger(database, self.prices, clock)
        self.limiter = Limiter(monotonic)
        self.usage = UsageReports(database)
        self.price_list = PriceList(self.prices, trail)
        self.records = Records(
            database, self.vault, trail, clock, keep=settings.retention_days * DAY
        )
        seconds = settings.idempotency_seconds
        self.answers = (
            Idempotency(
                database,
                self.vault,
                clock,
                keep=seconds * SECOND,
                digest=lambda content: keychain.mac("idempotency", content).digest,
            )
            if seconds
            else Unkept()
        )
        self.metering = Metering(self.limiter, self.ledger, self.answers, self.records)
        self.classifiers = Classifiers(database, self.vault, trail, clock)
        self.export = Export(database, self.users, self.records, self.classifiers, trail)

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Open what the settings name; blocks until it is up to date.

        Raises StorageError, KeychainError, OSError: each with what to do in its text.
        """
        prepare_home(settings.home)
        database = Database.open(url_of(settings))
        try:
            return cls(settings, database, Keychain.open(database, source_of(settings), wall))
        except BaseException:
            database.close()
            raise

    def bootstrap(self, base_url: str) -> None:
        """See `bootstrap`; blocks. Raises CredentialsError, OSError."""
        bootstrap.bootstrap(self.database, self.accounts, self.keys, self._home, base_url)

    def watch(self, kind: str, look: Look) -> None:
        """Have the audit trail told of what is changed outside the database. Before `start`."""
        self._inventories.append(Inventory(self.database, self.trail, kind, look))

    async def start(self) -> None:
        """Read what is kept in memory, settle what a sudden end left open, and begin the chores."""
        await self.prices.load()
        await self.ledger.recover()
        await self._take_stock()
        await self.anchoring.start()
        chores: Sequence[Chore] = (
            self.ring.write_uses,
            self.ledger.settle_owed,
            self.digests.add_due,
            self.records.purge,
            self.answers.purge,
            self._sweep,
            self._take_stock,
        )
        self._running = [
            asyncio.create_task(self.anchoring.run(), name="anchoring"),
            asyncio.create_task(_repeat(REFRESH_SECONDS, [self.ring.refresh]), name="refresh"),
            asyncio.create_task(_repeat(CHORES_SECONDS, chores), name="chores"),
        ]

    async def _sweep(self) -> None:
        self.refusals.sweep()

    async def _take_stock(self) -> None:
        for inventory in self._inventories:
            await inventory.check()

    async def close(self) -> None:
        """Write down what is not yet, then close the database."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.answers.close()
        self.refusals.close()
        for last in (self.ring.write_uses, self.anchoring.anchor):
            await _attempt(last)
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Close files and threads; blocks. For one who has opened and not started."""
        self.passwords.close()
        self.database.close()


def _told_of(settings: Settings, keychain: Keychain) -> dict[str, str]:
    """The settings as the audit trail has them: of secrets only a keyed hash."""
    told = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = keychain.mac("settings", value.get_secret_value().encode()).digest.hex()
        told[name] = str(value)
    return told


async def _repeat(seconds: float, chores: Sequence[Chore]) -> None:
    """Do them again and again, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        for chore in chores:
            await _attempt(chore)


async def _attempt(chore: Chore) -> None:
    """What fails now is done later: none of it is lost."""
    try:
        await chore()
    except (Problem, OSError) as error:
        log.error("%s failed: %s", getattr(chore, "__qualname__", "a chore"), error)
