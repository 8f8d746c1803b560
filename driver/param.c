// SPDX-License-Identifier: GPL-2.0-only
/* Sizes as people write them, for the module's parameters. */
#include <linux/string.h>
#include <linux/sysfs.h>

#include "param.h"

/* A number of bytes with an optional suffix. "max" is no limit, as in files of control groups. */
static int param_set_bytes(const char *text, const struct kernel_param *kp)
{
	char *end;
	u64 bytes = memparse(text, &end);

	if (sysfs_streq(text, "max"))
		bytes = U64_MAX;
	else if (end == text || (*end && *end != '\n'))
		return -EINVAL;
	/* What older kernels cannot count, 16E, comes as 0. */
	if (!bytes && *text != '0')
		return -EINVAL;
	WRITE_ONCE(*(u64 *)kp->arg, bytes);
	return 0;
}

static int param_get_bytes(char *text, const struct kernel_param *kp)
{
	u64 bytes = READ_ONCE(*(u64 *)kp->arg);

	return bytes == U64_MAX ? sysfs_emit(text, "max\n") : sysfs_emit(text, "%llu\n", bytes);
}

const struct kernel_param_ops hpm_param_ops_bytes = {
	.set = param_set_bytes,
	.get = param_get_bytes,
};
