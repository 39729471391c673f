"""An invoice as Facturae 3.2.2, the XML format that Spanish public bodies take: written, signed, checked and read.

lxml and signxml come with the extra ``vetlla[invoice]``: ``tree`` and ``xades`` import them, functions import those two.
"""
