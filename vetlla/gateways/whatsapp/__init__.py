"""The WhatsApp Business Cloud API of Meta: messages out, and the webhook with statuses and replies in."""
