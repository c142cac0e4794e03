"""The public Python API. It prints nothing, handles no signals and changes nothing about the process.

``arrow`` and ``dlt_source`` need the ``load`` extra.
"""
