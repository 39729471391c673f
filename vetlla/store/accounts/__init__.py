"""Accounts in the registry."""
