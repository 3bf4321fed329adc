"""What agents write before it leaves."""
