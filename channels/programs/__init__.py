"""Programs that report to the desk: monitoring, alerting, other systems."""
