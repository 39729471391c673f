"""What commands of the office cost."""
