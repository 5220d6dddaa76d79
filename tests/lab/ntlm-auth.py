#!/usr/bin/python3
"""A helper of squid for NTLM that really verifies passwords, by the mechanism gss-ntlmssp of GSSAPI.

The accounts are in the file that NTLM_USER_FILE names, a line each: DOMAIN:user:password. With the argument
`negotiate` it answers in the form of the scheme Negotiate. Squid asks `YR message` first and `KK message` then.
The mechanism wants version and MIC in the messages, which curl leaves out: curl cannot log in here.
"""

import base64
import sys

import gssapi

NTLM = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")

negotiate = sys.argv[1:] == ["negotiate"]


def begin():
    credentials = gssapi.Credentials(usage="accept", mechs=[NTLM])
    return gssapi.SecurityContext(creds=credentials, usage="accept")


def answer(context, message):
    """Whether the login is over, and what to tell squid."""
    try:
        token = context.step(base64.b64decode(message))
        if not context.complete:
            return False, "TT " + base64.b64encode(token).decode()
        # The mechanism counts the zero at the end of its name.
        user = str(context.initiator_name).rstrip("\0")
        return True, ("AF = " if negotiate else "AF ") + user
    except Exception as error:  # whatever it is, the login is not good
        why = str(error).replace("\n", " ")
        return True, ("NA = " if negotiate else "NA ") + why


context = None
for line in sys.stdin:
    command, _, message = line.strip().partition(" ")
    if command == "YR" or context is None:
        context = begin()
    over, reply = answer(context, message)
    if over:
        context = None
    print(reply, flush=True)
