"""``vetlla invoice``: the invoice of a month."""
