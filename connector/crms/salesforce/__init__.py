"""Salesforce as a CRM: a small file for each thing that is asked of it; `adapter` joins them.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""
