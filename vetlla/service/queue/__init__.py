"""The rules of the operators' queue: admission, urgency, order, steps."""
