"""``vetlla home`` and ``vetlla cards``, and the card beside an alarm."""
