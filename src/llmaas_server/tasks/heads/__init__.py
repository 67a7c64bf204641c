"""Heads over frozen embeddings: trained, tried, calibrated. numpy alone; no model is seen here."""
