"""Cloudflare's names: permission groups, dashboard templates, and what account-owned tokens cannot do.

Data and look-ups only: nothing here asks the provider.
"""

from rotator.catalogue.compatibility import account_token_warning
from rotator.catalogue.groups import Group, Scope, all_groups, by_id, named, resolve, suggest
from rotator.catalogue.templates import TEMPLATES, Template, template

__all__ = [
    "TEMPLATES",
    "Group",
    "Scope",
    "Template",
    "account_token_warning",
    "all_groups",
    "by_id",
    "named",
    "resolve",
    "suggest",
    "template",
]
