"""The receiver's database: reports, alarms, audit, signs of life."""
