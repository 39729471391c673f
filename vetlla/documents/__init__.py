"""What people read: HTML and PDF pages, charts, languages. No rule, and no SQL."""
