// SPDX-License-Identifier: GPL-2.0-only
/* Sizes as people write them, for the module's parameters. */
#include <linux/string.h>
#include <linux/sysfs.h>

#include "param.h"

/* Read a number of bytes with an optional suffix. Return: 0, or -EINVAL if it is none. */
static int param_parse_bytes(const char *text, u64 *bytes)
{
	char *end;

	*bytes = memparse(text, &end);
	/* What older kernels cannot count, 16E, comes as 0. */
	if (!*bytes && *text != '0')
		return -EINVAL;
	return end == text || (*end && *end != '\n') ? -EINVAL : 0;
}

/* "max" is no limit, as in the files of control groups. */
int hpm_param_set_bytes(const char *text, const struct kernel_param *kp)
{
	u64 bytes = U64_MAX;
	int ret = sysfs_streq(text, "max") ? 0 : param_parse_bytes(text, &bytes);

	if (!ret)
		WRITE_ONCE(*(u64 *)kp->arg, bytes);
	return ret;
}

int hpm_param_get_bytes(char *text, const struct kernel_param *kp)
{
	u64 bytes = READ_ONCE(*(u64 *)kp->arg);

	return bytes == U64_MAX ? sysfs_emit(text, "max\n") : sysfs_emit(text, "%llu\n", bytes);
}

const struct kernel_param_ops hpm_param_ops_bytes = {
	.set = hpm_param_set_bytes,
	.get = hpm_param_get_bytes,
};
