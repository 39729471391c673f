"""The rules of keys in custody: who holds each key and where it is, as its events say."""
