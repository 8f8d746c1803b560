// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may write to the kernel log.
 *
 * A program can be refused as often as it asks, and each refusal is logged. So each user has a
 * few lines in a minute: he neither floods the log nor uses up the lines of others. What a user is
 * given is not logged. For whoever has CAP_SYS_ADMIN both are logged, within a limit that no other
 * user uses up.
 *
 * There are as many shares as the table has entries, so that many user ids in one hand, as of a
 * user namespace, do not make a flood together. Users whose ids differ by a multiple of that have
 * a share together. Each has a lock of its own, which belongs to the kernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uidgid.h>

#include "log.h"

#define LOG_INTERVAL	(60 * HZ)
#define LOG_LINES	10	/* of one user in an interval */

/* By the low bits of the user id; users who have them in common share their lines. */
static struct ratelimit_state log_shares[] = {
	[0 ... 63] = RATELIMIT_STATE_INIT_FLAGS(log_shares, LOG_INTERVAL, LOG_LINES,
						RATELIMIT_MSG_ON_RELEASE),
};

/* May there be a line about what the calling task was given, or refused? */
bool hpm_log_may(bool refused)
{
	static DEFINE_RATELIMIT_STATE(administrators, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN))
		return __ratelimit(&administrators);
	return refused && __ratelimit(&log_shares[__kuid_val(current_uid()) %
						ARRAY_SIZE(log_shares)]);
}

/* Log what the calling task was given, or @refused, if there may be a line about it. */
void hpm_log(bool refused, const char *fmt, ...)
{
	va_list args;
	struct va_format vaf = { .fmt = fmt, .va = &args };

	if (!hpm_log_may(refused))
		return;
	va_start(args, fmt);
	pr_info("%*pE (%d) %pV\n", (int)strnlen(current->comm, sizeof(current->comm)),
		current->comm, task_tgid_nr(current), &vaf);
	va_end(args);
}
