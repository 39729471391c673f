"""SMS: by an HTTP gateway of Twilio's shape, by any HTTP gateway that the settings describe, or by SMPP."""
