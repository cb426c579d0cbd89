"""Checks for values that are legal but wrong or surprising."""
