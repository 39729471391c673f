"""What the office does about closed months: closes one, computes it again, and compares."""
