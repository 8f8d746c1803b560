#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
if True
    pass
