"""HubSpot: contacts, deals, meetings and tickets read, and what is said to people written there."""
