"""The configuration: where its file is found, what may stand in it, and its typed result.

`keys` is its one definition: defaults, validation and the JSON Schema for editors
(`python -m invsync.config > config.schema.json`) all come from there. `values` makes a value of a
text, `finding` finds the file, `reading` reads YAML line by line, `settings` puts all of it
together.

A problem is one line, `FILE:LINE: key: what is wrong; what to do`, and all problems of a file are
reported at once. No message, warning or `repr` holds the value of a secret.
"""
