"""Databases for the services that remember."""

from support.databases import database, database_url, sqlite_database
from support.tenants import house

__all__ = ["database", "database_url", "house", "sqlite_database"]
