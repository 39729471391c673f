"""What the office does with the agenda: plan a month, hand out calls, record what became of them."""
