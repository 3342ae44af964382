"""Cloudflare's names: permission groups, dashboard templates, and what account-owned tokens cannot do.

Data and look-ups only: nothing here asks the provider.

    groups          permission groups by name and id, and where the data comes from
    spelling        permissions as people write them
    meaning         which one group a spelling means, and what to say where it means none or several
    templates       the dashboard's templates by name
    probes          which read shows that a permission works
    compatibility   what a token that an account owns cannot hold
    shapes          what a text at a managed key looks like
"""

from rotator.catalogue.compatibility import account_token_refusal, account_token_warning
from rotator.catalogue.groups import Catalogue, Group, Scope, all_groups, by_id, catalogue, named
from rotator.catalogue.meaning import Meant, meaning, suggest
from rotator.catalogue.probes import PROBES, probe_of, why_none
from rotator.catalogue.templates import TEMPLATES, Template, template

__all__ = [
    "PROBES",
    "TEMPLATES",
    "Catalogue",
    "Group",
    "Meant",
    "Scope",
    "Template",
    "account_token_refusal",
    "account_token_warning",
    "all_groups",
    "by_id",
    "catalogue",
    "meaning",
    "named",
    "probe_of",
    "suggest",
    "template",
    "why_none",
]
