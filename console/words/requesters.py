"""What errors about requesters and organisations say for themselves; English keys."""

REQUESTER_ERRORS = (
    "there is no such requester",
    "a requester's name has 200 characters at most",
    "there is no such language",
    "there is no such time zone",
    "there is no such organisation",
    "an organisation needs a name",
    "names of organisations have 200 characters at most",
    "a mail domain is written as example.org, and there are 50 at most",
    "anybody can have an address at {name}: name a domain of theirs",
    "another organisation has one of these mail domains",
    "there is an organisation of this name already",
    "there is no such plan",
    "a plan needs a name, of 200 characters at most",
    "a plan names 20 channels at most",
    "there is a plan of this name already",
    "a plan ends after it begins",
    "a day is written as 2030-12-31",
    "a requester cannot be merged with themselves",
    "this requester was merged already",
    "a merge can be undone once, within 30 days",
)
