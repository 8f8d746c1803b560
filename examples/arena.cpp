// SPDX-License-Identifier: MIT
/*
 * Containers of C++ in one buffer, by a resource that other programs can take as it is, arena.hpp:
 *
 *	c++ -std=c++20 -o arena arena.cpp $(pkg-config --cflags --libs libhpage_map)
 */
#include "arena.hpp"
#include <cstdio>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

// Asks the buffer itself and not the address: another process would read the same.
static bool in_buffer(const arena &memory, const std::pmr::string &s)
{
	off_t at = s.data() - static_cast<const char *>(hpmap_addr(memory.buffer()));
	std::string there(s.size(), 0);

	return pread(hpmap_fd(memory.buffer()), there.data(), there.size(), at) ==
		static_cast<ssize_t>(s.size()) && there == std::string_view(s);
}

int main()
try {
	arena memory(64UL << 20);
	// Whoever forgets the arena gets no memory.
	std::pmr::set_default_resource(std::pmr::null_memory_resource());
	std::pmr::map<int, std::pmr::string> words(&memory);
	int inside = 0;

	for (int i = 0; i < 20000; i++)
		words[i] = "a word that is too long for its object, number " + std::to_string(i);
	for (const auto &[number, word] : words)
		inside += in_buffer(memory, word);
	std::printf("%d of %zu words are in the buffer\n", inside, words.size());
	try {
		std::pmr::vector<char> large(hpmap_size(memory.buffer()), &memory);
	} catch (const std::bad_alloc &) {
		std::printf("what does not fit is refused\n");
	}
} catch (const std::exception &e) {
	std::fprintf(stderr, "%s\n", e.what());
	return 1;
}
