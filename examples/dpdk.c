// SPDX-License-Identifier: MIT
/*
 * Packets of DPDK in a buffer, as external memory: without hugetlbfs, in memory that others may
 * map, too. With the module, DPDK is told the physical addresses.
 *
 *	cc -o dpdk dpdk.c $(pkg-config --cflags --libs libhpage_map libdpdk)
 */
#include <err.h>
#include <hpage_map.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdio.h>

#define SIZE	(32UL << 20)
#define HEAP	"hpage_map"

int main(void)
{
	/* What it needs for itself is ordinary memory. */
	char *eal[] = { "dpdk", "--no-huge", "-m32", "--no-pci", "--no-shconf", "--no-telemetry" };
	uint64_t page, nr, i, offset, address;
	struct hpmap_buffer *buffer;
	struct rte_mempool *pool;
	struct rte_mbuf *packet;
	rte_iova_t *iova;
	char *at;

	if (rte_eal_init(sizeof(eal) / sizeof(*eal), eal) < 0)
		errx(1, "rte_eal_init: %s", rte_strerror(rte_errno));
	if (hpmap_alloc(HPMAP_OPTIONS(.size = SIZE, .flags = HPMAP_ALLOW_BASE), &buffer) ||
	    hpmap_map(buffer, HPMAP_POPULATE, (void **)&at))
		errx(1, "%s", hpmap_why(NULL));

	/* Of use to devices without an IOMMU; others find a page where the program does. */
	page = hpmap_page_size(buffer);
	nr = SIZE / page;
	iova = calloc(nr, sizeof(*iova));
	for (i = 0; iova && i < nr; i++)
		iova[i] = hpmap_physical_address(buffer, i * page, &address, NULL) ?
			RTE_BAD_IOVA : address;
	if (!iova || rte_malloc_heap_create(HEAP) ||
	    rte_malloc_heap_memory_add(HEAP, at, SIZE, iova, nr, page))
		errx(1, "the heap: %s", rte_strerror(rte_errno));
	pool = rte_pktmbuf_pool_create("packets", 2048, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       rte_malloc_heap_get_socket(HEAP));
	packet = pool ? rte_pktmbuf_alloc(pool) : NULL;
	if (!packet)
		errx(1, "the packets: %s", rte_strerror(rte_errno));
	offset = rte_pktmbuf_mtod(packet, char *) - at;
	printf("%u packets, %s the buffer\n", pool->size, offset < SIZE ? "in" : "not in");
	if (!hpmap_physical_address(buffer, offset, &address, NULL))
		printf("the address for devices is %s\n",
		       address == rte_pktmbuf_iova(packet) ? "the physical one" : "another");
	return 0;
}
