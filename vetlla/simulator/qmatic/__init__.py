"""A Qmatic Orchestra that exists only here: both families of its API over the same invented appointments."""
