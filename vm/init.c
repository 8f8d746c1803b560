// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of the virtual machine that vm/run starts.
 *
 * It is the only program in the initramfs: it loads the modules that the root
 * needs, puts the caller's files under an overlay in memory, loads hpage_map,
 * runs one command, and powers off.  What to do stands in /job, a list of
 * NUL-terminated KEY=VALUE strings, so that any byte but NUL may occur in an
 * argument.
 *
 * It talks to vm/run through four virtio serial ports: the command's standard
 * input, output and error, and a fourth for one line at a time about how far we
 * got: "up" when the root is there, "start" before the command, "exit STATUS"
 * after it; or "fail WHY" at any time.
 *
 * Every process but this one is killed before the status is told, so threads,
 * which die with nobody, carry the output.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT "/newroot"
#define MAX_WORDS 16384
#define NINEP "trans=virtio,version=9p2000.L,msize=512000,"

static char *args[MAX_WORDS], *envs[MAX_WORDS];
static int nr_args, nr_envs;
static const char *cwd = "/", *release, *module_args;
static bool want_kmemleak;
static int status_port = -1, module_fd = -1;

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* One line to the kernel log and, where @port is open, to vm/run. */
static void say(int port, const char *fmt, ...)
{
	char line[512] = "vm/run: ";
	const size_t name = strlen(line);
	va_list ap;
	int fd;

	va_start(ap, fmt);
	vsnprintf(line + name, sizeof(line) - name - 1, fmt, ap);
	va_end(ap);
	strcat(line, "\n");

	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		fputs(line, stderr);
	if (fd >= 0)
		close(fd);
	if (port >= 0 && write(port, line + name, strlen(line + name)) < 0)
		perror("vm/run: status port");
}

#define note(...) say(-1, __VA_ARGS__)
#define tell(...) say(status_port, __VA_ARGS__)

#define fail(fmt, ...)							\
	do {								\
		tell("fail " fmt ": %s", ##__VA_ARGS__, strerror(errno));	\
		power_off();						\
	} while (0)

static void make_dirs(const char *path)
{
	char part[4096];
	size_t i;

	for (i = 1; path[i - 1] && i < sizeof(part) - 1; i++) {
		if (path[i] != '/' && path[i])
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, 0755) && errno != EEXIST)
			fail("cannot make the directory %s", part);
	}
}

static void mount_at(const char *what, const char *type, const char *where,
		     unsigned long flags, const char *options)
{
	make_dirs(where);
	if (mount(what, where, type, flags, options))
		fail("cannot mount %s at %s", what, where);
}

/* For what not every kernel has: silent without the file system. */
static void mount_if_known(const char *type, const char *where)
{
	struct stat st;

	if (stat(where, &st) && mkdir(where, 0755))
		return;
	if (mount(type, where, type, 0, NULL) && errno != ENODEV && errno != EBUSY)
		fail("cannot mount %s at %s", type, where);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) >= 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The whole file, with a NUL behind it.  Never freed: we live for one job. */
static char *read_all(const char *path, size_t *size)
{
	size_t room = 1 << 16;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*size = 0;
	if (fd < 0)
		fail("cannot open %s", path);
	while (text && (n = read(fd, text + *size, room - *size - 1)) > 0) {
		*size += n;
		if (*size == room - 1)
			text = realloc(text, room *= 2);
	}
	if (!text)
		fail("no memory for %s", path);
	close(fd);
	text[*size] = 0;
	return text;
}

static void load_module(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("cannot open %s", path);
	if (syscall(SYS_finit_module, fd, params, 0) && errno != EEXIST)
		fail("cannot load %s with \"%s\"", path, params);
	close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The names in /modules begin with numbers, so that each comes after what it needs. */
static void load_boot_modules(void)
{
	struct dirent **list;
	char path[512];
	int i, n = scandir("/modules", &list, is_visible, by_name);

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/modules/%s", list[i]->d_name);
		load_module(path, "");
	}
}

/* The /dev node of the port that vm/run gave the name @name. */
static bool find_port(const char *name, char *path, size_t room)
{
	const char *class = "/sys/class/virtio-ports";
	struct dirent **list;
	char file[512];
	size_t size;
	int i, n = scandir(class, &list, is_visible, by_name);

	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s/name", class, list[i]->d_name);
		if (access(file, R_OK) || strcmp(strtok(read_all(file, &size), "\n"), name))
			continue;
		snprintf(path, room, "/dev/%s", list[i]->d_name);
		return true;
	}
	return false;
}

static int open_port(const char *name, int mode)
{
	const struct timespec tick = { .tv_nsec = 2000000 };
	char path[512];
	int fd;

	/* The driver makes the ports from a work item; vm/run bounds the wait. */
	while (!find_port(name, path, sizeof(path)))
		nanosleep(&tick, NULL);
	fd = open(path, mode | O_CLOEXEC);
	if (fd < 0)
		fail("cannot open the port %s", name);
	return fd;
}

/* @what in /lower, and over it a layer in memory at @where. */
static void mount_over(const char *what, const char *type, const char *options,
		       const char *where)
{
	static int nr;
	char lower[64], layers[512];

	snprintf(lower, sizeof(lower), "/lower/%d", nr);
	mount_at(what, type, lower, MS_RDONLY, options);
	snprintf(layers, sizeof(layers), "/memory/%d/upper", nr);
	make_dirs(layers);
	snprintf(layers, sizeof(layers), "/memory/%d/work", nr);
	make_dirs(layers);
	snprintf(layers, sizeof(layers),
		 "lowerdir=%s,upperdir=/memory/%d/upper,workdir=/memory/%d/work", lower, nr, nr);
	mount_at("overlay", "overlay", where, 0, layers);
	nr++;
}

/* The virtio disk that vm/run marked as the root. */
static void mount_root_disk(void)
{
	char path[64], *serial;
	size_t size;
	char c;

	for (c = 'a'; c <= 'z'; c++) {
		snprintf(path, sizeof(path), "/sys/block/vd%c/serial", c);
		if (access(path, R_OK))
			continue;
		serial = read_all(path, &size);
		if (strncmp(serial, "vm-run-root", 11))
			continue;
		snprintf(path, sizeof(path), "/dev/vd%c", c);
		mount_over(path, "ext4", "noload", ROOT);
		return;
	}
	errno = ENODEV;
	fail("no disk for the root");
}

static void mount_word(const char *key, char *value)
{
	char where[4200], *path = strchr(value, ':');

	if (!path)
		fail("bad job: %s=%s", key, value);
	*path++ = 0;
	snprintf(where, sizeof(where), ROOT "%s", path);
	if (!strcmp(key, "over"))
		mount_over(value, "9p", NINEP "cache=loose", where);
	else
		mount_at(value, "9p", where, 0, NINEP "cache=mmap");
}

static void read_job(void)
{
	size_t size, at = 0;
	char *job = read_all("/job", &size);

	while (at < size) {
		char *key = job + at, *value = strchr(key, '=');

		at += strlen(key) + 1;
		if (!value)
			fail("bad job: %s", key);
		*value++ = 0;
		if (!strcmp(key, "arg") && nr_args < MAX_WORDS - 1)
			args[nr_args++] = value;
		else if (!strcmp(key, "env") && nr_envs < MAX_WORDS - 1)
			envs[nr_envs++] = value;
		else if (!strcmp(key, "root") && !strcmp(value, "disk"))
			mount_root_disk();
		else if (!strcmp(key, "root"))
			mount_over(value, "9p", NINEP "cache=loose", ROOT);
		else if (!strcmp(key, "over") || !strcmp(key, "share"))
			mount_word(key, value);
		else if (!strcmp(key, "cwd"))
			cwd = value;
		else if (!strcmp(key, "release"))
			release = value;
		else if (!strcmp(key, "module"))
			module_args = value;
		else if (!strcmp(key, "kmemleak"))
			want_kmemleak = true;
		else
			fail("bad job: %s=%s", key, value);
	}
}

static void enable_controllers(void)
{
	char *word, *save = NULL, *list, step[64];
	size_t size;

	if (access("/sys/fs/cgroup/cgroup.controllers", R_OK))
		return;
	list = read_all("/sys/fs/cgroup/cgroup.controllers", &size);
	for (word = strtok_r(list, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		snprintf(step, sizeof(step), "+%s", word);
		if (!write_file("/sys/fs/cgroup/cgroup.subtree_control", step))
			fail("cannot enable the cgroup controller %s", word);
	}
}

static void raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &lo))
		fail("cannot raise the loopback interface");
	close(s);
}

/*
 * A moved mount, not only a chroot: in a chroot nobody can make a user
 * namespace.
 */
static void enter_root(void)
{
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("cannot enter the new root");
}

static void furnish(void)
{
	char modules[256];

	mount_at("proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("sysfs", "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_at("devtmpfs", "devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_at("tmpfs", "tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	mount_at("devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
		 "mode=0620,gid=5,ptmxmode=0666");
	mount_at("tmpfs", "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	mount_at("cgroup2", "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_if_known("mqueue", "/dev/mqueue");
	mount_if_known("debugfs", "/sys/kernel/debug");
	mount_if_known("tracefs", "/sys/kernel/tracing");
	mount_if_known("securityfs", "/sys/kernel/security");
	mount_if_known("configfs", "/sys/kernel/config");
	mount_if_known("bpf", "/sys/fs/bpf");
	make_dirs("/run/lock");
	make_dirs("/tmp");
	chmod("/tmp", 01777);
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("/proc/self/fd/0", "/dev/stdin") ||
	    symlink("/proc/self/fd/1", "/dev/stdout") || symlink("/proc/self/fd/2", "/dev/stderr"))
		fail("cannot make /dev/fd");

	snprintf(modules, sizeof(modules), "/lib/modules/%s", release);
	mount_at("modules", "9p", modules, MS_RDONLY, NINEP "cache=loose");

	enable_controllers();
	raise_loopback();
	if (sethostname("vm", 2))
		fail("cannot set the host name");
}

static void load_the_module(void)
{
	struct stat st;

	if (syscall(SYS_finit_module, module_fd, module_args, 0))
		fail("cannot load hpage_map with \"%s\"", module_args);
	close(module_fd);
	if (stat("/dev/hpage_map", &st))
		fail("hpage_map is loaded, but there is no /dev/hpage_map");
	if (!S_ISCHR(st.st_mode)) {
		errno = ENXIO;
		fail("/dev/hpage_map is no character device");
	}
}

struct carrier {
	int from, to;
	pthread_t thread;
};

static void *carry(void *arg)
{
	struct carrier *c = arg;
	char buf[32768];
	ssize_t n, done, put;

	while ((n = read(c->from, buf, sizeof(buf))) > 0) {
		for (done = 0; done < n; done += put) {
			put = write(c->to, buf + done, n - done);
			if (put <= 0)
				goto out;
		}
	}
out:
	/* Whoever still writes to us, or reads from us, shall see the end. */
	close(c->from);
	close(c->to);
	return NULL;
}

static void start_carrier(struct carrier *c, int from, int to)
{
	c->from = from;
	c->to = to;
	errno = pthread_create(&c->thread, NULL, carry, c);
	if (errno)
		fail("cannot start a thread");
}

static void exec_command(int in, int out, int err)
{
	const struct rlimit files = { .rlim_cur = 1024, .rlim_max = 524288 };

	setsid();
	signal(SIGPIPE, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, &files);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (chdir(cwd)) {
		fprintf(stderr, "vm/run: cannot enter %s: %s\n", cwd, strerror(errno));
		_exit(127);
	}
	environ = envs;
	execvp(args[0], args);
	fprintf(stderr, "vm/run: cannot run %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

static int run_command(void)
{
	int in[2], out[2], err[2], status = 0, port_in, port_out, port_err;
	struct carrier c_in, c_out, c_err;
	pid_t pid, dead;

	port_in = open_port("in", O_RDONLY);
	port_out = open_port("out", O_WRONLY);
	port_err = open_port("err", O_WRONLY);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		fail("cannot make pipes");

	tell("start");
	pid = fork();
	if (pid < 0)
		fail("cannot fork");
	if (!pid)
		exec_command(in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	start_carrier(&c_in, port_in, in[1]);
	start_carrier(&c_out, out[0], port_out);
	start_carrier(&c_err, err[0], port_err);

	/* As init we also bury the orphans. */
	do {
		dead = wait(&status);
	} while (dead != pid);

	/* Daemons left behind would keep the pipes, mounts and buffers. */
	kill(-1, SIGKILL);
	do {
		dead = wait(NULL);
	} while (dead > 0 || errno == EINTR);
	pthread_join(c_out.thread, NULL);
	pthread_join(c_err.thread, NULL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * kmemleak reports an object that is older than 5 seconds and whose contents
 * did not change since the scan before: hence two scans, that far apart.
 */
static void scan_for_leaks(void)
{
	const char *file = "/sys/kernel/debug/kmemleak";
	const struct timespec age = { .tv_sec = 6 };
	char *report, *line, *save = NULL;
	size_t size;

	if (!write_file(file, "scan"))
		fail("--kmemleak needs a kernel that has kmemleak (--kernel debug)");
	nanosleep(&age, NULL);
	if (!write_file(file, "scan"))
		fail("cannot scan with kmemleak");
	report = read_all(file, &size);
	for (line = strtok_r(report, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		note("kmemleak: %s", line);
}

int main(void)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	umask(022);
	mount_at("devtmpfs", "devtmpfs", "/dev", 0, NULL);
	mount_at("sysfs", "sysfs", "/sys", 0, NULL);
	load_boot_modules();
	status_port = open_port("status", O_WRONLY);

	mount_at("tmpfs", "tmpfs", "/memory", 0, "size=100%,nr_inodes=0,mode=0755");
	read_job();
	if (module_args) {
		module_fd = open("/hpage_map.ko", O_RDONLY | O_CLOEXEC);
		if (module_fd < 0)
			fail("cannot open /hpage_map.ko");
	}
	enter_root();
	furnish();
	tell("up");
	if (module_args)
		load_the_module();

	status = run_command();
	if (want_kmemleak)
		scan_for_leaks();
	sync();
	tell("exit %d", status);
	power_off();
}
