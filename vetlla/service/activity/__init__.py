"""The monthly report of activity and management (tender 20220428, 13.2.b): tables of figures that others count."""
