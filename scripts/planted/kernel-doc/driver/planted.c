// SPDX-License-Identifier: GPL-2.0-only

/**
 * planted() - says too little
 */
int planted(int argument)
{
	return argument;
}
