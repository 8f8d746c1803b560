// SPDX-License-Identifier: MIT
/*
 * Capture frames from a camera into buffers of huge pages, without a copy:
 *
 *	v4l2 /dev/video0 >frames
 *	v4l2 /dev/video0 contiguous >frames
 *
 *	cc -o v4l2 v4l2.c $(pkg-config --cflags --libs libhpage_map)
 *
 * The camera's driver imports each buffer as a dma-buf. Drivers that take one
 * physical run only, and many of them reach no more than 4 GiB, need the second form.
 */
#include <err.h>
#include <fcntl.h>
#include <hpage_map.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NR	4		/* buffers that take turns */
#define FRAMES	8
#define TYPE	V4L2_BUF_TYPE_VIDEO_CAPTURE

static struct {
	struct hpmap_buffer *buffer;
	void *address;
	int dmabuf;
} frames[NR];

static int camera;
static unsigned int flags;

static void ask(unsigned long request, void *argument, const char *what)
{
	if (ioctl(camera, request, argument))
		err(1, "%s", what);
}

static void make(unsigned int i, size_t length)
{
	if (hpmap_alloc(HPMAP_OPTIONS(.size = length, .flags = flags), &frames[i].buffer) ||
	    hpmap_map(frames[i].buffer, HPMAP_READ_ONLY, &frames[i].address) ||
	    hpmap_export_dmabuf(frames[i].buffer, &frames[i].dmabuf))
		errx(1, "%s", hpmap_why(NULL));
}

static void queue(unsigned int i)
{
	struct v4l2_buffer b = {
		.index = i, .type = TYPE, .memory = V4L2_MEMORY_DMABUF, .m.fd = frames[i].dmabuf,
	};

	ask(VIDIOC_QBUF, &b, "the camera does not take the buffer");
}

/* The processor's turn with a buffer, from begin to end. */
static void turn(unsigned int i, unsigned int of)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ | of };

	if (ioctl(frames[i].dmabuf, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
}

static void take_one(void)
{
	struct v4l2_buffer b = { .type = TYPE, .memory = V4L2_MEMORY_DMABUF };

	ask(VIDIOC_DQBUF, &b, "no frame");
	turn(b.index, DMA_BUF_SYNC_START);
	if (fwrite(frames[b.index].address, b.bytesused, 1, stdout) != 1)
		err(1, "writing a frame");
	turn(b.index, DMA_BUF_SYNC_END);
	queue(b.index);
}

int main(int argc, char **argv)
{
	struct v4l2_requestbuffers request = {
		.count = NR, .type = TYPE, .memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_format format = { .type = TYPE };
	int type = TYPE;
	unsigned int i;

	if (argc != 2 && (argc != 3 || strcmp(argv[2], "contiguous")))
		errx(2, "usage: v4l2 DEVICE [contiguous]");
	flags = argc == 3 ? HPMAP_CONTIGUOUS | HPMAP_BELOW_4G : 0;
	camera = open(argv[1], O_RDWR);
	if (camera < 0)
		err(1, "%s", argv[1]);
	ask(VIDIOC_G_FMT, &format, argv[1]);
	ask(VIDIOC_REQBUFS, &request, "the camera does not import buffers");
	if (request.count > NR)
		errx(1, "the camera wants %u buffers", request.count);
	for (i = 0; i < request.count; i++) {
		make(i, format.fmt.pix.sizeimage);
		queue(i);
	}
	ask(VIDIOC_STREAMON, &type, "the camera does not start");
	for (i = 0; i < FRAMES; i++)
		take_one();
	ask(VIDIOC_STREAMOFF, &type, "the camera does not stop");
	fprintf(stderr, "%d frames of %u bytes in %u buffers of %zu\n", FRAMES,
		format.fmt.pix.sizeimage, request.count, hpmap_size(frames[0].buffer));

	/* The camera lets go of the buffers first. */
	close(camera);
	for (i = 0; i < request.count; i++) {
		close(frames[i].dmabuf);
		hpmap_close(frames[i].buffer);
	}
	return 0;
}
