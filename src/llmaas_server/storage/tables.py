"""All tables together: what a unit of work sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from .accounts import Accounts, Users
from .answers import Answers
from .applications import Applications
from .audit import Audit, Checkpoints
from .budgets import Budgets, BudgetWindows
from .classifiers import ClassifierParts, Classifiers
from .data_keys import DataKeys
from .invitations import Invitations
from .keys import Keys
from .ledger import Intents, Ledger
from .prices import Prices
from .records import Records
from .root_keys import RootKeys
from .sessions import Sessions
from .usage import Usage


class Tables:
    """The tables through one connection, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = Accounts(connection)
        self.users = Users(connection)
        self.applications = Applications(connection)
        self.keys = Keys(connection)
        self.invitations = Invitations(connection)
        self.sessions = Sessions(connection)
        self.data_keys = DataKeys(connection)
        self.prices = Prices(connection)
        self.intents = Intents(connection)
        self.ledger = Ledger(connection)
        self.usage = Usage(connection)
        self.budgets = Budgets(connection)
        self.budget_windows = BudgetWindows(connection)
        self.answers = Answers(connection)
        self.records = Records(connection)
        self.classifiers = Classifiers(connection)
        self.classifier_parts = ClassifierParts(connection)
        self.root_keys = RootKeys(connection)
        self.audit = Audit(connection)
        self.checkpoints = Checkpoints(connection)


T = TypeVar("T")

Unit = Callable[[Tables], T]
"""A unit of work: all of it is committed, or nothing where it raises.

It touches its tables and nothing else: it may be run a second time after a rollback.
"""


def nothing(tables: Tables) -> None:
    """The unit of work that does nothing: for services that take one to do as well."""
