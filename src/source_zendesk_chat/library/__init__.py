"""The library: what ``import source_zendesk_chat`` offers, over the engine and, for Arrow and dlt, parts of the loader.

Nothing here prints, handles signals or changes the process. ``arrow`` and ``dlt_source`` need the ``load`` extra.
"""
