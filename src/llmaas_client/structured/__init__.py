"""Answers as values: from a type to the format of an answer, and from its text to a value."""
