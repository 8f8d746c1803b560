// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A buffer on its way to another process: its descriptor and one byte, since
 * a stream drops a message of none.
 *
 * Who is at the other end may send anything. All descriptors that come are
 * taken, so that all but the one can be closed again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cancel.h"
#include "internal.h"
#include "public.h"
#include "text.h"

/* Linux 6.5; a descriptor, too. */
#ifndef SCM_PIDFD
#define SCM_PIDFD	4
#endif

/* What options of the socket may add comes first: credentials, a security label. */
#define CONTROL_ROOM	1024

/* The type of a UNIX socket, or -errno. */
static int socket_type(int socket)
{
	socklen_t size = sizeof(int);
	int domain, type, err;

	if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size)) {
		err = errno;
		return fail(err == EBADF || err == ENOTSOCK ? -EINVAL : -err, "socket %d: %s",
			    socket, strerror(err));
	}
	if (domain != AF_UNIX)
		return fail(-EINVAL, "socket %d is none of AF_UNIX, and others carry no descriptors"
			    TRY "socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets)", socket);
	return type;
}

static int socket_failed(const char *call, int err)
{
	/* What a socket says that is not connected, or not any more, depends on its type. */
	if (err == EPIPE || err == ECONNRESET || err == ECONNREFUSED || err == ENOTCONN ||
	    err == EINVAL)
		return fail(-EPIPE, "nobody is at the other end of the socket");
	if (err == ETOOMANYREFS)
		return fail(-EDQUOT, "too many descriptors are on their way over sockets"
			    TRY "ulimit -n");
	if (err == EAGAIN)
		return fail(-EAGAIN, "the socket has waited as long as it may" TRY "poll(2)");
	if (err == ENOBUFS)
		err = ENOMEM;
	return fail(-err, "%s: %s", call, strerror(err));
}

PUBLIC int hpmap_send(const struct hpmap_buffer *b, int socket)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int type = socket_type(socket);

	if (type < 0)
		return type;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(b->fd));
	memcpy(CMSG_DATA(c), &b->fd, sizeof(b->fd));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) < 0 ? socket_failed("sendmsg", errno) : 0;
}

/* Keep the first descriptor that was sent, in @fd, and close all others. How many were sent? */
static size_t socket_take(struct msghdr *msg, int *fd)
{
	struct cmsghdr *c;
	size_t sent = 0, n, i;
	int one;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    (c->cmsg_type != SCM_RIGHTS && c->cmsg_type != SCM_PIDFD))
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(one);
		for (i = 0; i < n; i++) {
			memcpy(&one, CMSG_DATA(c) + i * sizeof(one), sizeof(one));
			if (c->cmsg_type == SCM_RIGHTS && !sent++)
				*fd = one;
			else
				close(one);
		}
	}
	return sent;
}

/* The descriptor of a message, or -errno. */
static int socket_receive(int socket, int type)
{
	_Alignas(struct cmsghdr) char control[CONTROL_ROOM];
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	size_t sent;
	int fd = -1;

	if (n < 0)
		return socket_failed("recvmsg", errno);
	sent = socket_take(&msg, &fd);
	if (n == 1 && sent == 1 && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return fd;
	/* Datagrams have no end, but may be empty. */
	if (sent)
		close(fd);
	else if (msg.msg_flags & MSG_CTRUNC)
		return fail(-EMFILE, "the process has no descriptor left for the one that was sent"
			    TRY "ulimit -n");
	else if (!n && type != SOCK_DGRAM)
		return socket_failed("recvmsg", EPIPE);
	return fail(-EPROTO, "the message is no buffer: %s, %zu descriptor%s%s"
		    TRY "hpmap_send() at the other end", n ? "a byte" : "no byte", sent,
		    plural(sent), msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? ", and more" : "");
}

static int socket_take_buffer(int fd, unsigned int flags, struct hpmap_buffer **buffer)
{
	UNCANCELLED;
	int ret = hpmap_from_fd_flags(fd, flags, buffer);

	close(fd);
	return ret;
}

/* While it waits for a message, the thread may be cancelled. */
PUBLIC int hpmap_recv(int socket, unsigned int flags, struct hpmap_buffer **buffer)
{
	int type, fd;

	if (flags & ~HPMAP_UNSEALED)
		return fail(-EINVAL, "hpmap_recv: unknown bits in flags, %#x", flags);
	type = socket_type(socket);
	if (type < 0)
		return type;
	fd = socket_receive(socket, type);
	if (fd < 0)
		return fd;
	return socket_take_buffer(fd, flags, buffer);
}
