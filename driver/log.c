// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may write to the kernel log.
 *
 * A program can be refused as often as it asks, and each refusal is logged. So each user has a
 * few lines in a minute, of his own: he does not flood the log, or use up the lines of another.
 * What a user is given is not logged. For whoever has CAP_SYS_ADMIN both are logged, within a
 * limit that no other user uses up.
 *
 * There are as many users with lines as fit into a table, so that many user ids in one
 * hand, as of a user namespace, do not make a flood together. Its lock is log_lock, under
 * which nothing else is taken.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

#include "log.h"

#define LOG_INTERVAL	(60 * HZ)
#define LOG_LINES	10	/* of one user in an interval */

static struct log_user {
	kuid_t uid;
	unsigned int lines;	/* in the interval; 0 in a free entry */
	unsigned long begin;	/* of the interval, in jiffies */
} log_users[64];

static DEFINE_SPINLOCK(log_lock);

/* The entry of a user, or a free one, or NULL. */
static struct log_user *log_user_find(kuid_t uid)
{
	struct log_user *user = NULL;
	int i;

	lockdep_assert_held(&log_lock);
	for (i = 0; i < ARRAY_SIZE(log_users); i++) {
		if (time_after(jiffies, log_users[i].begin + LOG_INTERVAL))
			log_users[i].lines = 0;
		if (!log_users[i].lines)
			user = user ?: &log_users[i];
		else if (uid_eq(log_users[i].uid, uid))
			return &log_users[i];
	}
	return user;
}

static bool log_user_count(kuid_t uid)
{
	struct log_user *user;
	bool may;

	spin_lock(&log_lock);
	user = log_user_find(uid);
	may = user && user->lines < LOG_LINES;
	if (may && !user->lines)
		*user = (struct log_user){ .uid = uid, .begin = jiffies };
	if (may)
		user->lines++;
	spin_unlock(&log_lock);
	return may;
}

/* May there be a line about what the calling task was given, or refused? */
bool hpm_log_may(bool refused)
{
	static DEFINE_RATELIMIT_STATE(administrators, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN))
		return __ratelimit(&administrators);
	return refused && log_user_count(current_uid());
}
