"""Commands with which operators work the queue, their messages, and the sheet of one alarm."""
