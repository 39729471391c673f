"""The reminder service as a process: it polls, sends, answers and cancels by itself, and takes webhooks."""
