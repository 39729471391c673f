"""Measurements that anyone can repeat. README.md describes what was measured, where and how."""
