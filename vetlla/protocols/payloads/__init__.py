"""Payloads that several envelopes carry: Contact ID, SIA DCS."""
