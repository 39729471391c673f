"""Transactions of both sides: repeated requests are told from new ones, and ours are repeated until an answer comes."""
