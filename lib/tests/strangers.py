# SPDX-License-Identifier: GPL-2.0-only
"""Does with a buffer what Python programs do with any file.

    hpagectl run --size 64M -- strangers.py BACKING

Prints a line for each way that works. BACKING is what the pages must be of,
or memfd.
"""
import mmap
import multiprocessing
import os
import socket
import stat
import sys

import numpy

path = '/proc/self/fd/' + os.environ['HPAGE_MAP_FD']
# What parts of a mapping are multiples of
page = 2 << 20 if sys.argv[1] == 'hugetlb' else 4096

if sys.argv[1] != 'memfd':
    with open(path.replace('fd', 'fdinfo'), encoding='ascii') as info:
        assert 'hpage_map-backing:\t' + sys.argv[1] + '\n' in info


def child(memory):
    memory[0:5] = b'child'


with open(path, 'r+b', buffering=0) as file:
    status = os.fstat(file.fileno())
    size = status.st_size
    # Python looks at the size of regular files only.
    memory = mmap.mmap(file.fileno(), 0 if stat.S_ISREG(status.st_mode) else size)
    assert len(memory) == size, len(memory)
    memory[0:6] = b'python'
    assert os.pread(file.fileno(), 6, 0) == b'python'
    print('mmap: all of', size)

    process = multiprocessing.get_context('fork').Process(target=child, args=(memory,))
    process.start()
    process.join()
    assert memory[0:6] == b'childn', memory[0:6]
    print('multiprocessing: the child writes, the parent reads')

    array = numpy.memmap(path, dtype='u4', mode='r+', offset=page,
                         shape=(max(3, page // 4096), 1024))
    array[:] = 7
    array.flush()
    assert memory[page:page + 4] == b'\7\0\0\0' and memory[page - 1] == 0
    assert int(numpy.frombuffer(memory, 'u4').sum()) == array.size * 7 + \
        sum(int(word) for word in numpy.frombuffer(b'childn\0\0', 'u4'))
    print('numpy: an array at', page)

    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    file.seek(page)
    sender = os.fork()
    if not sender:
        os._exit(ours.sendfile(file, page, 3 * 4096) != 3 * 4096)
    ours.close()
    got = b''
    while len(got) < 3 * 4096:
        part = theirs.recv(1 << 16)
        assert part, len(got)
        got += part
    assert os.waitpid(sender, 0)[1] == 0
    assert got == b'\7\0\0\0' * 3 * 1024
    print('sendfile:', len(got), 'bytes')

    server = socket.create_server(('127.0.0.1', 0))
    client = socket.create_connection(server.getsockname(), timeout=60)
    accepted, _ = server.accept()
    client.setsockopt(socket.SOL_SOCKET, 60, 1)  # SO_ZEROCOPY, which Python does not name
    with memoryview(memory) as view:
        sent = client.send(view[page:page + 3 * 4096], 0x4000000)  # MSG_ZEROCOPY
    got = b''
    while len(got) < sent:
        got += accepted.recv(1 << 16)
    assert got == b'\7\0\0\0' * (sent // 4), sent
    # The kernel reports when it has let go of the pages.
    _, notes, _, _ = client.recvmsg(1, 128, socket.MSG_ERRQUEUE)
    assert notes
    print('MSG_ZEROCOPY:', sent, 'bytes')
