"""llmaas beside others: same weights, same machine, same load, in one run. See README.md."""
