"""Recorded faults and corrective actions in the registry."""
