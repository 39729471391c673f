"""Events of duties in the registry, and the index of open duties."""
