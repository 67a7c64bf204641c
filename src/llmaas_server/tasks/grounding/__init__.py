"""Whether documents say what a sentence says, and where."""
