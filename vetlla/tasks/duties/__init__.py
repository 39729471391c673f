"""What the office does with duties: opens them, records events, imports files, looks at clocks."""
