"""The report of a period: what was sent, what citizens did, who came. Pure functions of counts."""
