"""The accounts on platforms that admins connect, their settings and secrets."""
