"""An invoice as Facturae 3.2.2, the XML format that Spanish public bodies take: written, signed, checked and read.

lxml and signxml come with the extra ``vetlla[invoice]``, so functions import ``tree`` and ``xades`` when they are called.
"""
