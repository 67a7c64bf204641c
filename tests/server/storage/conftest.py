"""Each test of storage runs on each database system."""

from support.databases import database, database_url, sqlite_database

__all__ = ["database", "database_url", "sqlite_database"]
