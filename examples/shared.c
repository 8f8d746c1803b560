// SPDX-License-Identifier: MIT
/*
 * Two processes that know nothing of each other, one buffer:
 *
 *	shared receive			waits for a message and prints it
 *	shared send 'some text'		leaves one
 *
 * Start them in any order, from two terminals, as often as you like. The
 * message is never copied through the kernel: both map the same pages.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FULL	0x6c6c7566	/* any other value means: no message */

struct mailbox {
	_Atomic uint32_t state;
	char text[252];
};

static void send_text(struct mailbox *box, const char *text)
{
	snprintf(box->text, sizeof(box->text), "%s", text);
	atomic_store(&box->state, FULL);
	syscall(SYS_futex, &box->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void receive_text(struct mailbox *box)
{
	uint32_t seen;

	/* The kernel sleeps only while the state is what was seen here. */
	while ((seen = atomic_load(&box->state)) != FULL)
		syscall(SYS_futex, &box->state, FUTEX_WAIT, seen, NULL, NULL, 0);
	printf("process %d received: %.*s\n", getpid(), (int)sizeof(box->text), box->text);
	atomic_store(&box->state, 0);
}

int main(int argc, char **argv)
{
	int sending = argc == 3 && !strcmp(argv[1], "send");

	if (!sending && !(argc == 2 && !strcmp(argv[1], "receive")))
		errx(2, "usage: shared receive | shared send TEXT");

	int fd = open("/dev/hpage_map", O_RDWR);
	if (fd < 0)
		err(1, "open /dev/hpage_map");

	off_t length = lseek(fd, 0, SEEK_END);
	struct mailbox *box = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (box == MAP_FAILED)
		err(1, "mmap %lld bytes", (long long)length);
	close(fd);	/* the mapping alone holds the buffer from here */

	if (sending)
		send_text(box, argv[2]);
	else
		receive_text(box);
	return 0;
}
