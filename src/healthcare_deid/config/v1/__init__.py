"""Messages of API version v1, one family per module.

`healthcare_deid.config` exports them.
"""
