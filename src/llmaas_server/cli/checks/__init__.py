"""What `llmaas doctor` looks at. Each check only looks, and says what to type where it is amiss."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import computing, folders, installation, models, network, options, running, state
from .finding import Check

if TYPE_CHECKING:
    from llmaas_server.settings import Settings, SettingsError


def all_checks(settings: Settings, *, with_network: bool) -> list[Check]:
    """In the order in which they are told: what the later ones need comes first."""
    of_settings = (
        options.settings,
        computing.kernels,
        folders.cache,
        folders.home,
        state.database,
        models.models,
        network.encryption,
        network.port,
        running.server,
        network.proxy,
    )
    checks: list[Check] = [partial(check, settings) for check in of_settings]
    checks = [*_of_the_machine(settings.device), *checks]
    return [*checks, network.hub] if with_network else checks


def without_settings(error: SettingsError) -> list[Check]:
    """All that can be looked at where the settings cannot be read."""
    return [*_of_the_machine("auto"), partial(options.unusable, error)]


def _of_the_machine(devices: str) -> list[Check]:
    return [
        installation.python,
        installation.packages,
        installation.pip,
        partial(computing.torch, devices),
        computing.memory,
        options.variables,
    ]
