"""What every report can do: be shown, be kept."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, is_dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from llmaas_client.errors import ConfigurationError

from . import html, markdown
from .document import Document


class Report(ABC):
    """The figures of an evaluation. Subclasses are frozen dataclasses of plain values."""

    __slots__ = ()

    @abstractmethod
    def document(self) -> Document:
        """The page, before it is drawn."""

    def html(self) -> str:
        """A page that stands alone: no script, nothing loaded from elsewhere."""
        return html.page(self.document())

    def markdown(self) -> str:
        """The page with links to its plots, which `save` writes beside it."""
        return markdown.text(self.document())

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        assert is_dataclass(self)
        return asdict(self)

    def json(self) -> str:
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write report.html, report.md, report.json and the plots; the folder is made.

        Raises ConfigurationError where it cannot be written.
        """
        place = Path(folder)
        document = self.document()
        files = {
            "report.html": html.page(document),
            "report.md": markdown.text(document),
            "report.json": self.json() + "\n",
        }
        for drawing in document.drawings:
            files[f"{drawing.name}.svg"] = drawing.plot.svg(drawing.caption) + "\n"
        try:
            place.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (place / name).write_text(content, "utf-8")
        except OSError as error:
            raise ConfigurationError(f"cannot write {place}: {error.strerror}") from None
        return place

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return html.part(self.document())
