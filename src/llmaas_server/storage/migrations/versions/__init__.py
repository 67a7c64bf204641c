"""One file per schema; `vNNNN_what.py`, in order. Never edit one that was released."""
