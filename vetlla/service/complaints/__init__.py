"""The rules of complaints, claims and suggestions: answers in term, the city's verdicts, the figures of a month."""
