// SPDX-License-Identifier: GPL-2.0-only
/* A mapping as registered memory of RDMA: software RoCE, and a write from one half to the other. */
#define _GNU_SOURCE
#include "lent.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ADDRESS	"10.99.0.1"
#define SIZE	(4 * pmd_size)
/* Odd, and across the edge of a page. */
#define LENGTH	(pmd_size + 3 * base_page + 8)
#define ACCESS	(IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

struct rdma {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp[2];		/* connected to each other */
	union ibv_gid gid;
	int gid_index;
};

static void begin(uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	if (access("/sys/class/net/hpm0", F_OK)) {
		CHECK_EQ(run_command("modprobe rdma_rxe && modprobe ib_uverbs"), 0);
		CHECK_EQ(run_command("ip link add hpm0 type veth peer name hpm1"), 0);
		CHECK_EQ(run_command("ip address add " ADDRESS "/24 dev hpm0"), 0);
		CHECK_EQ(run_command("ip link set hpm0 up && ip link set hpm1 up"), 0);
		CHECK_EQ(run_command("ip link set lo up"), 0);
		CHECK_EQ(run_command("rdma link add hpmrxe type rxe netdev hpm0"), 0);
	}
}

static void end(void)
{
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

/* The address of the interface as RDMA has it, which may take it a moment to learn. */
static void find_gid(struct rdma *r)
{
	uint8_t want[16] = { [10] = 0xff, [11] = 0xff };

	CHECK_EQ(inet_pton(AF_INET, ADDRESS, want + 12), 1);
	for (;; sched_yield())
		for (r->gid_index = 0; r->gid_index < 16; r->gid_index++)
			if (!ibv_query_gid(r->context, 1, r->gid_index, &r->gid) &&
			    !memcmp(r->gid.raw, want, sizeof(want)))
				return;
}

static struct ibv_qp *make_qp(struct rdma *r)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = r->cq,
		.recv_cq = r->cq,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp *qp = ibv_create_qp(r->pd, &attr);

	CHECK(qp);
	return qp;
}

static void connect_qp(struct rdma *r, struct ibv_qp *qp, uint32_t peer)
{
	struct ibv_qp_attr init = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = ACCESS,
	};
	struct ibv_qp_attr receive = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = peer,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = {
			.is_global = 1,
			.port_num = 1,
			.grh = { .dgid = r->gid, .sgid_index = r->gid_index, .hop_limit = 1 },
		},
	};
	struct ibv_qp_attr send = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 20,		/* seconds: emulation is slow */
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};

	CHECK_EQ(ibv_modify_qp(qp, &init, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
			       IBV_QP_ACCESS_FLAGS), 0);
	CHECK_EQ(ibv_modify_qp(qp, &receive, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
			       IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
			       IBV_QP_MIN_RNR_TIMER), 0);
	CHECK_EQ(ibv_modify_qp(qp, &send, IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
			       IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC), 0);
}

static struct rdma rdma_open(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct rdma r = {};

	CHECK(list && list[0]);
	r.context = ibv_open_device(list[0]);
	CHECK(r.context);
	ibv_free_device_list(list);
	r.pd = ibv_alloc_pd(r.context);
	r.cq = ibv_create_cq(r.context, 8, NULL, NULL, 0);
	CHECK(r.pd && r.cq);
	find_gid(&r);
	for (int i = 0; i < 2; i++)
		r.qp[i] = make_qp(&r);
	for (int i = 0; i < 2; i++)
		connect_qp(&r, r.qp[i], r.qp[!i]->qp_num);
	return r;
}

static void rdma_close(struct rdma *r)
{
	for (int i = 0; i < 2; i++)
		CHECK_EQ(ibv_destroy_qp(r->qp[i]), 0);
	CHECK_EQ(ibv_destroy_cq(r->cq), 0);
	CHECK_EQ(ibv_dealloc_pd(r->pd), 0);
	CHECK_EQ(ibv_close_device(r->context), 0);
}

static struct ibv_mr *reg(struct rdma *r, void *p, size_t len)
{
	struct ibv_mr *mr = ibv_reg_mr(r->pd, p, len, ACCESS);

	CHECK(mr);
	return mr;
}

static void transfer(struct rdma *r, enum ibv_wr_opcode opcode, struct ibv_mr *local, char *from,
		     struct ibv_mr *remote, char *to, size_t len)
{
	struct ibv_sge sge = { .addr = (uintptr_t)from, .length = len, .lkey = local->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = (uintptr_t)to, .rkey = remote->rkey },
	};
	struct ibv_send_wr *bad;
	struct ibv_wc wc;

	CHECK_EQ(ibv_post_send(r->qp[0], &wr, &bad), 0);
	while (ibv_poll_cq(r->cq, 1, &wc) == 0)
		sched_yield();
	if (wc.status != IBV_WC_SUCCESS)
		printf("# %s\n", ibv_wc_status_str(wc.status));
	CHECK_EQ(wc.status, IBV_WC_SUCCESS);
}

static void check_buffer(int fd)
{
	struct rdma r = rdma_open();
	char *p = map(fd, SIZE, RW, MAP_SHARED, 0), *half = p + SIZE / 2;
	struct ibv_mr *local = reg(&r, p, SIZE / 2), *remote = reg(&r, half, SIZE / 2);

	fill(p + 8, LENGTH, 1);
	transfer(&r, IBV_WR_RDMA_WRITE, local, p + 8, remote, half + 16, LENGTH);
	CHECK(filled(half + 16, LENGTH, 1));
	CHECK(zeroed(half + 16 + LENGTH, SIZE / 2 - 16 - LENGTH));
	fill(half, LENGTH, 2);
	transfer(&r, IBV_WR_RDMA_READ, local, p, remote, half, LENGTH);
	CHECK(filled(p, LENGTH, 2));
	CHECK_EQ(ibv_dereg_mr(local), 0);
	CHECK_EQ(ibv_dereg_mr(remote), 0);
	munmap(p, SIZE);
	rdma_close(&r);
	close(fd);
}

static void a_mapping_is_written_by_rdma(void)
{
	begin(8);
	check_buffer(lend(SIZE, pmd_size, HPAGE_MAP_EXACT));
	check_buffer(lend_scattered(4, 0));
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	check_buffer(lend(SIZE, pmd_size, HPAGE_MAP_EXACT));	/* THP */
	end();
}

/* As long as it is registered somebody may write to it. */
static void registered_memory_stays(void)
{
	struct ibv_mr *local, *remote;
	struct rdma r;
	int fd;
	char *p, *own = malloc(base_page);

	begin(4);
	r = rdma_open();
	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	remote = reg(&r, p, SIZE);
	local = reg(&r, own, base_page);
	fill(p + SIZE - base_page, base_page, 3);
	munmap(p, SIZE);
	close(fd);
	CHECK_EQ(first_buffer().lingering, 4);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 0);
	transfer(&r, IBV_WR_RDMA_READ, local, own, remote, p + SIZE - base_page, base_page);
	CHECK(filled(own, base_page, 3));
	CHECK_EQ(ibv_dereg_mr(remote), 0);
	CHECK_EQ(ibv_dereg_mr(local), 0);
	CHECK_COMES(count_buffers() == 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
	rdma_close(&r);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(a_mapping_is_written_by_rdma, ON_NONE),
		TEST(registered_memory_stays, ON_NONE),
	};

	return RUN_TESTS(tests);
}
