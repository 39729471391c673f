"""Eview: GSM and LTE pendants."""
