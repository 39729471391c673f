"""Tasks of the office, one function for each.

A task opens the registry, asks the rules, writes in one transaction and returns a value. Commands, a worker and a web
page can call it, so it imports none of them.
"""
