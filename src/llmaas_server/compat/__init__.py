"""Other wire formats, one file each; each only translates."""
