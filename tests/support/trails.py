"""Keys, vault and audit trail over a database, as a server has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from llmaas_server.gateway.anchor import AnchorFile, Anchoring, anchor_path, signers
from llmaas_server.gateway.digests import Digests
from llmaas_server.gateway.keychain import Keychain, key_source
from llmaas_server.gateway.records import DAY, Records
from llmaas_server.gateway.refusals import Refusals
from llmaas_server.gateway.trail import Entry, Trail
from llmaas_server.gateway.vault import Vault
from llmaas_server.gateway.verification import Report, verify
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables, Unit
from support.clocks import ManualClock

CREATED = Entry("user", "usr_1", "keys.create", "key_1", account_id="acc_1", address="127.0.0.1")


@dataclass
class Safe:
    """What a server needs for secrets and the trail; its keys lie in `home`."""

    database: Database
    home: Path
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.source = key_source(self.home)
        self.keychain = Keychain.open(self.database, self.source, self.clock)
        self.vault = Vault(self.database, self.keychain, self.clock)
        self.trail = Trail(self.keychain, self.vault, self.clock)
        self.file = AnchorFile(anchor_path(self.home))
        self.anchoring = Anchoring(self.database, self.trail, self.keychain, self.file, self.clock)
        self.digests = Digests(self.database, self.trail, self.clock)
        self.refusals = Refusals(self.database, self.trail, self.clock)
        self.records = Records(self.database, self.vault, self.trail, self.clock, keep=DAY)

    async def add(self, *entries: Entry) -> None:
        """Add rows, each in a unit of work of its own."""
        for entry in entries:
            await self.database.write(lambda tables, entry=entry: self.trail.add(tables, entry))  # type: ignore[misc]

    async def entries(self) -> list[AuditRow]:
        """All rows of the trail."""
        return await self.database.read(lambda tables: tables.audit.after(0, 1000))

    @property
    def verifying(self) -> Unit[Report]:
        """Verifies what a unit of work sees, against the file as it is."""

        def unit(tables: Tables) -> Report:
            return verify(tables, self.file.read, signers(self.keychain))

        return unit

    async def verify(self) -> Report:
        return await self.database.read(self.verifying)
