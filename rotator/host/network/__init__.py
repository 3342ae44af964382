"""The one network policy of every client: which way, to which address, whom to trust, and what a failure means.

Cloudflare, Vault and AWS each keep the library that speaks their protocol; all of them get their connections here:

    errors     why there is no connection, and what to do about it; certain to have sent nothing
    route      pure: proxy addresses, `no_proxy`, what loopback is
    race       TCP to the first address that answers
    trust      whose certificates are believed
    tunnel     CONNECT through a proxy, TLS inside of TLS
    dial       `Network`: all of it for one connection of the configuration
    pools      the same for urllib3, which hvac and boto3 stand on

Nothing is taken from the environment: no proxy, no netrc, no certificate bundle.
"""
