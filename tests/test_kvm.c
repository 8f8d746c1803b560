// SPDX-License-Identifier: GPL-2.0-only
/* A mapping as the memory of a virtual machine, whose few instructions write to all of it. */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE	(2 * pmd_size)
#define CODE	0x1000
#define SEED	0x2000		/* where the guest finds its first value */
#define WORDS	1024
#define TARGET	(pmd_size - WORDS * 2)	/* half of them on either page */

/* Real mode, with segments of 4 GiB: writes WORDS values from *SEED on, upwards from edi. */
static const uint8_t code[] = {
	0x66, 0x67, 0xa1, 0x00, 0x20, 0x00, 0x00,	/*    mov eax, [SEED] */
	0x66, 0xb9, 0x00, 0x04, 0x00, 0x00,		/*    mov ecx, WORDS */
	0x67, 0x66, 0x89, 0x07,				/* 1: mov [edi], eax */
	0x66, 0x83, 0xc7, 0x04,				/*    add edi, 4 */
	0x66, 0x40,					/*    inc eax */
	0x67, 0xe2, 0xf3,				/*    loop 1b */
	0xf4,						/*    hlt */
};

struct guest {
	int kvm, vm, cpu;
	struct kvm_run *run;
	size_t run_size;
};

static void begin(uint64_t pages)
{
	CHECK_EQ(run_command("modprobe kvm_amd || modprobe kvm_intel"), 0);
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
}

static void end(void)
{
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static struct guest guest_make(void *memory)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = SIZE,
		.userspace_addr = (uintptr_t)memory,
	};
	struct guest g = { .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };

	CHECK_GE(g.kvm, 0);
	g.vm = ioctl(g.kvm, KVM_CREATE_VM, 0);
	CHECK_GE(g.vm, 0);
	CHECK_EQ(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	g.cpu = ioctl(g.vm, KVM_CREATE_VCPU, 0);
	CHECK_GE(g.cpu, 0);
	g.run_size = ioctl(g.kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	g.run = (void *)map(g.cpu, g.run_size, RW, MAP_SHARED, 0);
	return g;
}

static void guest_free(struct guest *g)
{
	munmap(g->run, g->run_size);
	close(g->cpu);
	close(g->vm);
	close(g->kvm);
}

static void guest_run(struct guest *g)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rdi = TARGET };
	struct kvm_sregs sregs;

	CHECK_EQ(ioctl(g->cpu, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = 0;
	sregs.ds.limit = ~0U;
	sregs.ds.g = 1;
	CHECK_EQ(ioctl(g->cpu, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQ(ioctl(g->cpu, KVM_SET_REGS, &regs), 0);
	CHECK_EQ(ioctl(g->cpu, KVM_RUN, 0), 0);
	if (g->run->exit_reason != KVM_EXIT_HLT)
		printf("# exit reason %u\n", g->run->exit_reason);
	CHECK_EQ(g->run->exit_reason, KVM_EXIT_HLT);
}

static void check_run(struct guest *g, char *p, int fd, uint32_t seed)
{
	uint32_t words[WORDS];

	CHECK_EQ(sizeof(words), WORDS * 4);
	memcpy(p + CODE, code, sizeof(code));
	memcpy(p + SEED, &seed, sizeof(seed));
	guest_run(g);
	/* Whoever has the buffer sees it. */
	CHECK_EQ(pread(fd, words, sizeof(words), TARGET), sizeof(words));
	for (uint32_t i = 0; i < WORDS; i++)
		CHECK_EQ(words[i], seed + i);
	CHECK_EQ(memcmp(p + TARGET, words, sizeof(words)), 0);
}

static void check_buffer(int fd)
{
	char *p = map(fd, SIZE, RW, MAP_SHARED, 0);
	struct guest g = guest_make(p);

	check_run(&g, p, fd, 1000);
	check_run(&g, p, fd, 77000);
	guest_free(&g);
	munmap(p, SIZE);
	close(fd);
}

static void a_guest_writes_to_a_buffer(void)
{
	begin(2);
	check_buffer(lend(SIZE, pmd_size, HPAGE_MAP_EXACT));
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	check_buffer(lend(SIZE, pmd_size, HPAGE_MAP_EXACT));	/* THP */
	check_buffer(lend(SIZE, base_page, HPAGE_MAP_ALLOW_BASE));
	end();
}

/* Its memory is gone, and so is what it knew of it; then it has other memory there. */
static void a_guest_loses_what_is_unmapped(void)
{
	struct guest g;
	char *p, *q;
	int fd;

	begin(4);
	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, SIZE, RW, MAP_SHARED, 0);
	g = guest_make(p);
	check_run(&g, p, fd, 5);
	CHECK_EQ(munmap(p, SIZE), 0);
	close(fd);
	CHECK_EQ(count_buffers(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
	CHECK(ioctl(g.cpu, KVM_RUN, 0) == -1 || g.run->exit_reason != KVM_EXIT_HLT);

	fd = lend(SIZE, pmd_size, HPAGE_MAP_EXACT);
	q = map_at(p, fd, SIZE, RW, MAP_SHARED, 0);
	check_run(&g, q, fd, 6);
	guest_free(&g);
	munmap(q, SIZE);
	close(fd);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(a_guest_writes_to_a_buffer, ON_NONE),
		TEST(a_guest_loses_what_is_unmapped, ON_NONE),
	};

	return RUN_TESTS(tests);
}
