"""What can be wrong: findings of ``vetlla doctor`` and risks of ``vetlla check-config``."""
