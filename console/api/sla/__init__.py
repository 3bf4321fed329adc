"""Calendars, policies and clocks in the API."""
