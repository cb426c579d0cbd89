"""Checks of a config: values that are legal but wrong or surprising."""
