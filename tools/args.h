/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARGS_H
#define ARGS_H

#include "command.h"

bool args_have(const struct command *c, int argc, char **argv, enum opt option);
int args_read(const struct command *c, int argc, char **argv, struct args *a);
void args_help(const struct command *c);

#endif
