"""Settings from where they stand: `llmaas.toml` < environment (`LLMAAS_<NAME>`) < flags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from .model import ENV_PREFIX, Settings

FILE_NAME = "llmaas.toml"
DEFAULT = "default"


class SettingsError(Exception):
    """A setting cannot be used; one line that names where it stands and what is expected."""

    def __init__(self, message: str, source: str) -> None:
        """`source` is the file, variable or flag to change."""
        super().__init__(message)
        self.source = source


@dataclass(frozen=True, slots=True)
class Origin:
    """A setting, its value, and where the value came from."""

    name: str
    value: Any
    origin: str
    """`default`, the settings file, the environment variable, or the flag."""


def load_settings(flags: Mapping[str, object] | None = None) -> Settings:
    """Read the file, the environment and `flags` (None means not given).

    Raises SettingsError.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    variables = EnvSettingsSource(Settings)()
    file = _find_file({**variables, **given})
    layers = (_from_file(file), _from_environment(variables), _from_flags(given))
    values = {name: value for layer in layers for name, (value, _) in layer.items()}
    sources = {name: source for layer in layers for name, (_, source) in layer.items()}
    if file is not None:
        values["config"] = file
        sources.setdefault("config", "found")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _explain(error, sources) from error
    settings._origins.update(sources)
    return settings


def origins(settings: Settings) -> list[Origin]:
    """Every setting with its value and where that came from, in the order of the model."""
    return [
        Origin(name, getattr(settings, name), settings._origins.get(name, DEFAULT))
        for name in Settings.model_fields
    ]


_Layer = dict[str, tuple[Any, str]]
"""Name -> value, and where it stands."""


def _from_file(file: Path | None) -> _Layer:
    return {name: (value, str(file)) for name, value in _read_file(file).items()}


def _from_environment(variables: Mapping[str, Any]) -> _Layer:
    return {name: (value, f"{ENV_PREFIX}{name.upper()}") for name, value in variables.items()}


def _from_flags(given: Mapping[str, Any]) -> _Layer:
    return {name: (value, f"--{name.replace('_', '-')}") for name, value in given.items()}


def _find_file(values: Mapping[str, Any]) -> Path | None:
    """The file that was named must exist; the usual places may be empty."""
    if named := values.get("config"):
        path = Path(named).expanduser().absolute()
        if not path.is_file():
            raise SettingsError(
                f"there is no settings file {path}: check --config, LLMAAS_CONFIG", "config"
            )
        return path
    home = Path(values.get("home") or platformdirs.user_data_dir("llmaas")).expanduser()
    usual = (Path.cwd() / FILE_NAME, home.absolute() / FILE_NAME)
    return next((path for path in usual if path.is_file()), None)


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}", str(file)) from error
    if unknown := [name for name in values if name not in Settings.model_fields]:
        close = get_close_matches(unknown[0], Settings.model_fields)
        known = f"similar: {', '.join(close)}" if close else "`llmaas config show` lists all"
        raise SettingsError(f"{file}: there is no setting {unknown[0]!r}; {known}", str(file))
    if "config" in values:
        raise SettingsError(f"{file}: config cannot stand in the settings file itself", str(file))
    return values


def _explain(error: ValidationError, sources: Mapping[str, str]) -> SettingsError:
    first = error.errors(include_url=False)[0]
    name, *inside = first["loc"]
    where = "".join(f"[{part!r}]" for part in inside if part != "[key]")
    source = sources.get(str(name), str(name))
    value = "" if _is_secret(str(name)) else f" = {first['input']!r}"
    reason = first["msg"].removeprefix("Value error, ")
    return SettingsError(f"{source}: {name}{where}{value}: {reason}", source)


def _is_secret(name: str) -> bool:
    field = Settings.model_fields.get(name)
    return field is not None and "SecretStr" in repr(field.annotation)
