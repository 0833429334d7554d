"""Conversations shipped with the project: one invented shop, written by hand."""
