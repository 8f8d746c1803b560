// SPDX-License-Identifier: GPL-2.0-only
/* A command with a subcommand, and an option, that no page tells of. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--help"))
		puts("  told      it is\n  untold    it is not");
	else
		puts("  -o, --told-option\n      --untold-option\n  -h, --help");
	return 0;
}
