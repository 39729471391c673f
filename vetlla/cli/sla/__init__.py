"""``vetlla sla``: the service levels of a month."""
