"""The technicians' web application."""
