"""The support desk: working time, the state of a ticket, its two clocks, and the figures of a month."""
