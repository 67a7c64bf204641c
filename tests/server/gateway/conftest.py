"""Databases for the services that remember."""

from support.databases import database, database_url, sqlite_database

__all__ = ["database", "database_url", "sqlite_database"]
