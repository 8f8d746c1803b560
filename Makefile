# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" lists what there is. The module itself is built by kbuild from driver/Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DEPMOD ?= depmod
# The manual pages of the module; lib/ and tools/ install theirs.
PAGES := ioctl_hpage_map.2 hpage_map.4 hpage_map.7
# What uname -r will say; "make kernelrelease" does not know what Debian 12 calls its kernel.
RELEASE = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
MODULES_DIR = $(DESTDIR)/lib/modules/$(RELEASE)/updates
# What other drivers build against; see docs/drivers.md.
API_DIR = $(DESTDIR)$(PREFIX)/src/hpage_map/include
SYMBOLS = $(DESTDIR)/lib/modules/$(RELEASE)/hpage_map/Module.symvers

.DEFAULT_GOAL := module

help:
	@echo 'make                  build the module for the running kernel'
	@echo 'make module KDIR=DIR  build it for the kernel whose headers are in DIR'
	@echo 'make heap             build the dma-heaps, for kernels 7.x'
	@echo 'make lib              build the library libhpage_map into build/lib'
	@echo 'make tools            build the command hpagectl into build/tools'
	@echo 'make install          install what was built, and man pages (DESTDIR, PREFIX, KDIR),'
	@echo '                      with PYTHONDIR=DIR the Python package, too'
	@echo 'make uninstall        take them away again'
	@echo 'make demo             see it at work on a stock kernel in a virtual machine'
	@echo 'make test             run the tests on a stock kernel in virtual machines'
	@echo 'make test-all         run them on every supported kernel, the debug kernel included'
	@echo 'make soak             kill processes that use it, 10,000 times, in a virtual machine'
	@echo 'make races            let threads do all at once, and look for data races'
	@echo 'make fuzz             try random sequences of calls, on the debug kernel'
	@echo 'make bench            measure mapping, making, pinning, runs and each call'
	@echo 'make guard            fail if the faults, entries or instructions of a buffer change'
	@echo 'make test-devices     run those of devices and drivers: DMA, dma-buf, RDMA, KVM'
	@echo 'make coverage         see which lines of the driver the tests run: docs/coverage.md'
	@echo 'make demo-devices     see devices fill huge pages, and packets captured'
	@echo 'make check-lib        test library and command, here and in a virtual machine'
	@echo 'make test-programs    try unmodified programs on buffers, 22 min: docs/programs.md'
	@echo 'make deb              build Debian packages into build/deb'
	@echo 'make rpm              build rpm packages into build/rpm, and try them'
	@echo 'make test-deb         install, upgrade and purge them in a pristine Debian'
	@echo 'make test-boot        boot them by Secure Boot, enrol their key, upgrade the kernel'
	@echo 'make test-rpm         install and erase those, with their scripts, in such a root'
	@echo 'make selftest         test the virtual machine itself, vm/run'
	@echo 'make check            run the static checks'
	@echo 'make clean            remove what was built here'

# One sentence instead of what make says when the headers are not there.
headers:
	@test -e $(KDIR)/Makefile || { \
		echo 'There are no kernel headers in $(KDIR).' >&2; \
		echo 'Try: apt install linux-headers-$$(uname -r), or make module KDIR=DIR.' >&2; \
		exit 1; }

module: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR)/driver modules

heap: module
	$(MAKE) -C $(KDIR) M=$(CURDIR)/heap \
		KBUILD_EXTRA_SYMBOLS=$(CURDIR)/driver/Module.symvers modules
	@test -e heap/hpage_map_heap.ko || { \
		echo 'This kernel does not export dma_heap_add(); 7.x of Debian does.' >&2; \
		exit 1; }

lib:
	$(MAKE) -C lib

tools: lib
	$(MAKE) -C tools

# The module goes into updates/, which depmod prefers to what the distribution has.
install: headers
	@test -e driver/hpage_map.ko || { echo 'Not built yet. Type: make' >&2; exit 1; }
	install -D -m 644 driver/hpage_map.ko $(MODULES_DIR)/hpage_map.ko
	$(if $(wildcard heap/hpage_map_heap.ko),install -D -m 644 heap/hpage_map_heap.ko \
		$(MODULES_DIR)/hpage_map_heap.ko)
	install -D -m 644 include/uapi/linux/hpage_map.h $(DESTDIR)$(INCLUDEDIR)/linux/hpage_map.h
	install -D -m 644 include/uapi/linux/hpage_map.h $(API_DIR)/uapi/linux/hpage_map.h
	install -D -m 644 include/linux/hpage_map.h $(API_DIR)/linux/hpage_map.h
	install -D -m 644 driver/Module.symvers $(SYMBOLS)
	set -e; for page in $(PAGES); do \
		install -D -m 644 man/$$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	$(if $(wildcard build/lib/libhpage_map.so.0),$(MAKE) -C lib install)
	$(if $(wildcard build/tools/hpagectl),$(MAKE) -C tools install)
	$(if $(PYTHONDIR),$(MAKE) -C python install)
	$(if $(DESTDIR),,$(DEPMOD) $(RELEASE))

uninstall: headers
	rm -f $(MODULES_DIR)/hpage_map.ko $(MODULES_DIR)/hpage_map_heap.ko
	rm -f $(DESTDIR)$(INCLUDEDIR)/linux/hpage_map.h
	rm -rf $(DESTDIR)$(PREFIX)/src/hpage_map $(dir $(SYMBOLS))
	for page in $(PAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	$(MAKE) -C lib uninstall
	$(MAKE) -C tools uninstall
	$(if $(PYTHONDIR),$(MAKE) -C python uninstall)
	$(if $(DESTDIR),,$(DEPMOD) $(RELEASE))

demo:
	@vm/packages demo
	@demo/run

test:
	@vm/packages test
	@tests/run --kernel 6.12

test-all:
	@vm/packages test-all
	@tests/run

# CYCLES=N for another number of them.
soak:
	@vm/packages test
	@tests/soak $(CYCLES)

# CALLS=N for another number of them, KERNEL=NAME for another kernel.
races:
	@vm/packages test-all
	@tests/races --kernel $(or $(KERNEL),kcsan) $(CALLS)

# SECONDS=N for another time.
fuzz:
	@vm/packages lib
	@tests/fuzz/run $(if $(SECONDS),--seconds $(SECONDS))

bench:
	@vm/packages bench
	@bench/run

guard:
	@vm/packages test
	@bench/guard

coverage:
	@vm/packages coverage
	@tests/coverage

test-devices:
	@vm/packages test-all
	@tests/run --machine plain --machine iommu --machine swiotlb
	@tests/external

demo-devices:
	@vm/packages test-all
	@samples/capture/try
	@tests/run --kernel 6.12 --suite plain-edu --suite iommu-edu

deb:
	@vm/packages deb
	@packaging/deb

rpm:
	@vm/packages rpm
	@packaging/rpm/build

test-deb:
	@vm/packages test-all
	@vm/packages deb
	@packaging/test

test-boot:
	@vm/packages boot
	@packaging/boot/test

test-rpm:
	@vm/packages test-all
	@vm/packages rpm
	@packaging/rpm/test

check-lib:
	@vm/packages lib
	$(MAKE) tools WERROR=1
	$(MAKE) -C lib SANITIZE=1 WERROR=1
	$(MAKE) -C lib/tests
	$(MAKE) -C tools/tests
	$(MAKE) -C tools/tests fuzz
	$(MAKE) -C examples all with-library
	lib/tests/run
	lib/tests/run --vm

test-programs:
	@vm/packages programs
	$(MAKE) tools
	@lib/tests/table

selftest:
	@vm/packages test-all
	@vm/selftest

check:
	@vm/packages check
	@scripts/check

# By hand, so that it needs no headers.
clean:
	find driver heap \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o \
		-name '.*.cmd' -o -name '.*.d' -o -name Module.symvers -o \
		-name modules.order \) -delete
	rm -rf build

.PHONY: help headers module heap lib tools check-lib install uninstall demo demo-devices test \
	test-all test-devices test-programs coverage soak races fuzz bench guard deb rpm test-deb \
	test-boot test-rpm selftest check clean
