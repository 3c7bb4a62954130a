"""The nouns that the rooms hand to each other: frozen, comparable, made by msgspec.

`address` and `state`: what is spoken of · `project`, `resource`: desired · `live` · `entry`: the ledger's memory,
`remembrance` as it is listed · `plan`, `outcome`: what shall be done, and what was · `condition`: how things stand ·
`estate`: all of that by resource and agent, for a report ·
`copies`: a noun with some fields otherwise.
"""
