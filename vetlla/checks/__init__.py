"""Checks: the findings of ``vetlla doctor`` and the risks of ``vetlla check-config``."""
