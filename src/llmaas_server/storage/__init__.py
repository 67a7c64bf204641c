"""Rows in, rows out: what the server remembers, in SQLite or PostgreSQL.

All SQL is here. Money is in nano-units (10^-9 of the unit that prices are in), moments are
microseconds since 1970 UTC, durations are microseconds; all of them are 64-bit integers.
"""
