"""One look at a page: who looks, at what, and what there is to read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from llmaas_server.api.models import ListModels
from llmaas_server.api.openapi import Description
from llmaas_server.gateway.choice import Defaults
from llmaas_server.gateway.figures import Figures
from llmaas_server.gateway.principals import Actor
from llmaas_server.gateway.pulls import Pulls
from llmaas_server.gateway.services import Services
from llmaas_server.gateway.sessions import Session
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import BackendStatus, WorkerStatus
from llmaas_server.settings import Settings


class Shelf(Protocol):
    """The models on this machine."""

    def installed(self) -> Iterable[InstalledModel]: ...


@dataclass(frozen=True, slots=True)
class House:
    """What every page can read from; made once."""

    settings: Settings
    services: Services
    status: Callable[[], BackendStatus]
    workers: Callable[[], list[WorkerStatus]]
    shelf: Shelf
    defaults: Defaults
    version: str
    listing: ListModels
    pulls: Pulls
    figures: Figures
    description: Description


@dataclass(frozen=True, slots=True)
class Visit:
    """A person who is signed in looks at a page."""

    house: House
    session: Session
    address: str | None
    path: Mapping[str, str]
    """What stands in the braces of the page's path."""
    query: Mapping[str, str]

    @property
    def services(self) -> Services:
        return self.house.services

    @property
    def actor(self) -> Actor:
        return self.session.actor(self.address)

    def may(self, action: str | None) -> bool:
        return action is None or action in self.session.management.actions
