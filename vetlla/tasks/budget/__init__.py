"""What the office does with the contract's money: reads the tender's tables."""
