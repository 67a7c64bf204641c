"""Who may, how much, and what happened."""
