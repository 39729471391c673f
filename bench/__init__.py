"""Measurements that anyone can repeat: README.md says what was measured, where and how."""
