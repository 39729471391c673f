"""Channels of messages that exist only here: WhatsApp, an SMS gateway, and the telephones of citizens behind both."""
