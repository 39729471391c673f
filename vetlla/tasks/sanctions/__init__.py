"""What the office does about faults: gathers what the ledger is made of, records faults and corrective actions."""
