"""Sur-Gard automation output."""
