"""What the office does about supervision: proves a month from the ledger that the receiver wrote."""
