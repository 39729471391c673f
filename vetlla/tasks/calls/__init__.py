"""What the office does with calls: import, tie, report, and check of the recordings."""
