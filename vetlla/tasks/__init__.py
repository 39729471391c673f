"""What the office does, one function for each thing.

A task opens the registry, asks the rules, writes in one transaction and returns a value. Commands, a worker and a web
page call it; it knows none of them.
"""
