"""Every schema that there was, and the way from each to the next."""
