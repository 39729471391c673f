"""The inventory in the registry."""
