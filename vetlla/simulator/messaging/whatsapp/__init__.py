"""The WhatsApp Business Cloud API as Meta runs it, with its templates, its errors and its webhook."""
