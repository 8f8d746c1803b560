// SPDX-License-Identifier: MIT
/*
 * Register a buffer of huge pages with the first RDMA device that there is, and
 * tell what a peer needs to reach it:
 *
 *	cc -o rdma rdma.c $(pkg-config --cflags --libs libhpage_map libibverbs)
 *
 * The buffer's pages are pinned by the registration; it is as well a file
 * descriptor, which other processes map and see what the peer has written.
 */
#include <err.h>
#include <hpage_map.h>
#include <infiniband/verbs.h>
#include <inttypes.h>
#include <stdio.h>

#define LENGTH	(64UL << 20)
#define ACCESS	(IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE)

static struct ibv_context *open_first_device(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context;

	if (!list || !list[0])
		errx(1, "there is no RDMA device "
		     "(try: rdma link add rxe0 type rxe netdev eth0, as root)");
	context = ibv_open_device(list[0]);
	if (!context)
		err(1, "%s", ibv_get_device_name(list[0]));
	ibv_free_device_list(list);
	return context;
}

int main(void)
{
	struct hpmap_buffer *buffer;
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	void *address;

	if (hpmap_alloc(HPMAP_OPTIONS(.size = LENGTH), &buffer) ||
	    hpmap_map(buffer, HPMAP_POPULATE, &address))
		errx(1, "%s", hpmap_why(NULL));
	context = open_first_device();
	pd = ibv_alloc_pd(context);
	if (!pd)
		err(1, "a protection domain");
	mr = ibv_reg_mr(pd, address, hpmap_size(buffer), ACCESS);
	if (!mr)
		err(1, "the buffer is not registered (try: ulimit -l)");
	printf("%s: %" PRIu64 " bytes are registered; a peer writes to %p with the key %#x\n",
	       ibv_get_device_name(context->device), hpmap_size(buffer), address, mr->rkey);

	/* In reverse: the device first, and then the memory. */
	ibv_dereg_mr(mr);
	ibv_dealloc_pd(pd);
	ibv_close_device(context);
	hpmap_close(buffer);
	return 0;
}
