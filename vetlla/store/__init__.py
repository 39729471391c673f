"""What is kept: journal, queue, audit, registry. The only room that holds SQL."""
