"""What several envelopes carry: Contact ID, SIA DCS."""
