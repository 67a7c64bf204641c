"""What a page is, and where all of them are found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal, get_args

from . import pages
from .visit import Visit

Section = Literal["Playground", "Manage", "Server"]
SECTIONS: tuple[Section, ...] = get_args(Section)
"""In the order of the navigation."""

Content = Mapping[str, Any]
"""What the template gets, beside what every template has."""


async def nothing(visit: Visit) -> Content:
    """For a page whose template needs no content of its own."""
    return {}


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the console.

    `action` is what a person must be allowed to do to see it; others neither find it in the
    navigation nor may open it.
    """

    path: str
    """Below `/console`: `/keys`, `/keys/{id}`."""
    title: str
    template: str
    """Below `templates/`."""
    load: Callable[[Visit], Awaitable[Content]] = nothing
    """Reads what the page shows. Raises Problem."""
    section: Section | None = None
    """Where it stands in the navigation; None is not there."""
    order: int = 100
    """In its section, from low to high."""
    action: str | None = None


def find_pages() -> list[Page]:
    """Every page of `pages/`, in the order of the navigation."""
    names = sorted(module.name for module in iter_modules(pages.__path__))
    found: list[Page] = [import_module(f"{pages.__name__}.{name}").PAGE for name in names]
    return sorted(found, key=_place)


def _place(page: Page) -> tuple[int, int, str]:
    section = len(SECTIONS) if page.section is None else SECTIONS.index(page.section)
    return section, page.order, page.path
