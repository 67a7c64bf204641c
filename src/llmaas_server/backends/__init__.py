"""The front's side of compute. No torch here: a worker is another process."""
