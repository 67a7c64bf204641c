"""Native HTTP: in and out, no rules of its own."""
