"""The kinds of resources: one module says all that is particular to its kind."""
