"""Emergency units in the registry, and the emergencies that wait for one."""
