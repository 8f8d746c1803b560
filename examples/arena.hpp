// SPDX-License-Identifier: MIT
/*
 * A std::pmr::memory_resource over one buffer: what containers hold is in huge pages that can be
 * pinned, passed on, or mapped for a device. One thread uses it at a time. What is freed is used
 * again, except for large pieces; what does not fit is std::bad_alloc. Of C++20.
 */
#pragma once

#include <hpage_map.h>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <stdexcept>

class arena : public std::pmr::memory_resource {
public:
	explicit arena(std::size_t size)
		: held(make(size), hpmap_close),
		  pieces(hpmap_addr(held.get()), hpmap_size(held.get()),
			 std::pmr::null_memory_resource()),
		  pools(&pieces) {}
	hpmap_buffer *buffer() const { return held.get(); }

private:
	static hpmap_buffer *make(std::size_t size)
	{
		hpmap_buffer *b;

		if (hpmap_alloc(HPMAP_OPTIONS(.flags = HPMAP_ALLOW_BASE, .size = size), &b))
			throw std::runtime_error(hpmap_why(nullptr));
		if (!hpmap_map(b, HPMAP_POPULATE, nullptr))
			return b;
		hpmap_close(b);
		throw std::runtime_error(hpmap_why(nullptr));
	}
	void *do_allocate(std::size_t n, std::size_t align) override
	{
		return pools.allocate(n, align);
	}
	void do_deallocate(void *p, std::size_t n, std::size_t align) override
	{
		pools.deallocate(p, n, align);
	}
	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		return this == &other;
	}

	std::unique_ptr<hpmap_buffer, void (*)(hpmap_buffer *)> held;	// to the end
	std::pmr::monotonic_buffer_resource pieces;
	std::pmr::unsynchronized_pool_resource pools;
};
