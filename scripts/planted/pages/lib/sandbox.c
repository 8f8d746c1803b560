// SPDX-License-Identifier: LGPL-2.1-or-later
/* Empty: tools/Makefile knows a file of this name, which the command shares with the library. */
