"""The lanes: each runs one shape of model, one bounded step at a time."""
