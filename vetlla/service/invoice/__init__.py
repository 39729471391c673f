"""Rules of the monthly invoice: what is counted of each concept, its price, VAT and rounding."""
