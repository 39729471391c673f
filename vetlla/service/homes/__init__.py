"""The rules of homes and people: their files, and what a change of them says about the past."""
