"""Cloudflare API tokens as a source.

    options      what a connection and a credential say in the configuration
    check        what is wrong with the two together, before anything is asked
    grants       permission names and resources to policies
    policies     policies and conditions as plain values, and whether two sets of them mean the same
    outputs      what a target's `keys` may name
    answers      an HTTP answer as plain values
    errors       what a failing answer means: one table
    http         the one client of a connection; only home of httpx
    tokens       the token objects of the API
    domains      domain names in the one form in which they are compared
    listing      a list read to its end or not at all; `inventory`: all tokens of an owner
    lookup       the ids of zones and accounts by their names
    wanted       what a grant asks for, from names, ids and a template
    connection   a named login: client, rate budget, management token
    source       the port, for one credential
    shapes       what a value looks like; `pasted`: what is pasted in place of a management token
    management   the management tokens as they are now; `accounts`: what an id of an account is
    preflight    what `check` says of a connection; `grantable`: of one credential
    addresses    whether an address restriction lets this host in
    bearers      who authenticates a request; `authority`: a user with the Global API Key, for a bootstrap
    first        what a connection's management token must hold; `dashboard`: the link that has it filled in
    first_use    whether a new token can do what its grants say (`probes: auto`)

`Connection` and `Source` are imported from their modules; importing this package loads nothing but this text.
"""
