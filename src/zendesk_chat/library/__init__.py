"""The library: what ``import zendesk_chat`` offers, over the engine and, for Arrow and dlt, parts of the loader.

Nothing here prints, handles signals or changes the process. ``arrow`` and ``dlt_source`` need the ``load`` extra.
"""
