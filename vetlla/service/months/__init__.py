"""The rules of closed months: what a seal covers, and how two results differ."""
