"""The CRM SMS connector."""
