# SPDX-License-Identifier: MIT
"""What a document has."""

found = True
