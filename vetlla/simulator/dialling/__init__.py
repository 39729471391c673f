"""How a simulated terminal dials in, delivers its messages and repeats them."""
