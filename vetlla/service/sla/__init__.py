"""The service levels (ANS) of the contract: what each one compares, and what a month's record comes to."""
