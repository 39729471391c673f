"""An SMS gateway of Twilio's shape, with its answers, reports and replies."""
