// capture.c: a pcapng writer. The file always ends with a whole block, so that readers accept it at any moment.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (256u << 10)
#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_IF_TSRESOL 9

// A block being built: type, length, body, options, length again; all parts padded to 4 bytes.
struct block {
  uint8_t *bytes;
  uint32_t used;
};

static void put(struct block *b, const void *from, uint32_t bytes) {
  memcpy(b->bytes + b->used, from, bytes);
  b->used += bytes;
  while (b->used & 3)
    b->bytes[b->used++] = 0;
}

static void put32(struct block *b, uint32_t value) {
  put(b, &value, sizeof value);
}

static void option(struct block *b, uint16_t code, const void *from, uint16_t bytes) {
  put32(b, code | (uint32_t)bytes << 16);
  put(b, from, bytes);
}

static void begin(struct block *b, uint8_t *at, uint32_t type) {
  *b = (struct block){.bytes = at};
  put32(b, type);
  put32(b, 0); // its length, known at the end
}

static uint32_t end(struct block *b) {
  uint32_t length = b->used + 4;
  put32(b, length);
  memcpy(b->bytes + 4, &length, sizeof length);
  return length;
}

static uint32_t header(const struct corod_capture *capture, uint8_t *at) {
  struct block b;
  uint64_t unknown = UINT64_MAX;
  uint8_t nanoseconds = 9;
  begin(&b, at, 0x0A0D0D0A); // section
  put32(&b, 0x1A2B3C4D);
  put32(&b, 1); // version 1.0
  put(&b, &unknown, sizeof unknown);
  uint32_t used = end(&b);
  for (uint32_t i = 0; i < capture->n_interfaces; i++) {
    const struct corod_capture_interface *interface = &capture->interfaces[i];
    begin(&b, at + used, 1);
    put32(&b, (uint32_t)interface->link);
    put32(&b, 0); // no snap length
    option(&b, OPTION_IF_NAME, interface->name, (uint16_t)strlen(interface->name));
    option(&b, OPTION_IF_TSRESOL, &nanoseconds, 1);
    put32(&b, 0);
    used += end(&b);
  }
  return used;
}

int corod_capture_open(struct corod_capture *capture, const char *path,
                       const struct corod_capture_interface *interfaces, uint32_t n) {
  struct stat status;
  *capture = (struct corod_capture){.fd = -1, .interfaces = interfaces, .n_interfaces = n};
  // O_NONBLOCK: a FIFO without reader is an error here and not a wait.
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd < 0)
    return errno;
  int failed = fstat(fd, &status) ? errno : !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode) ? EINVAL : 0;
  capture->regular = !failed && S_ISREG(status.st_mode);
  if (!failed && capture->regular && ftruncate(fd, 0))
    failed = errno;
  if (!failed && !(capture->buffer = malloc(BUFFER)))
    failed = ENOMEM;
  if (failed) {
    close(fd);
    return failed;
  }
  capture->fd = fd;
  capture->used = header(capture, capture->buffer);
  return 0;
}

void corod_capture_add(struct corod_capture *capture, uint32_t interface, const uint8_t *packet, uint32_t bytes,
                       const char *remark) {
  struct timespec now;
  struct block b;
  if (capture->fd < 0)
    return;
  if (capture->used + bytes + strlen(remark) + 128 > BUFFER) {
    capture->lost++; // more than a turn of the loop should bring: the file is flushed after each
    return;
  }
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  begin(&b, capture->buffer + capture->used, 6);
  put32(&b, interface);
  put32(&b, (uint32_t)(time >> 32));
  put32(&b, (uint32_t)time);
  put32(&b, bytes);
  put32(&b, bytes);
  put(&b, packet, bytes);
  option(&b, OPTION_COMMENT, remark, (uint16_t)strlen(remark));
  put32(&b, 0);
  capture->used += end(&b);
  capture->buffered++;
}

static int write_all(struct corod_capture *capture) {
  size_t done = 0;
  while (done < capture->used) {
    ssize_t n = capture->regular
                    ? pwrite(capture->fd, capture->buffer + done, capture->used - done, capture->good + (off_t)done)
                    : write(capture->fd, capture->buffer + done, capture->used - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : EIO;
    done += (size_t)n;
  }
  return 0;
}

int corod_capture_flush(struct corod_capture *capture) {
  if (capture->fd < 0 || capture->used == 0)
    return 0;
  int failed = write_all(capture), report = 0;
  if (!failed) {
    capture->good += (off_t)capture->used;
    capture->written += capture->buffered;
    capture->has_header = true;
    report = capture->failing ? -1 : 0;
  } else {
    // Half a block would make the file unreadable: back to the last whole one.
    if (capture->regular && ftruncate(capture->fd, capture->good))
      failed = errno;
    capture->lost += capture->buffered;
    report = capture->failing ? 0 : failed;
  }
  capture->failing = failed != 0;
  capture->buffered = 0;
  // Without its header nothing in the file would be understood: it is tried again before the next packet.
  capture->used = capture->has_header ? 0 : header(capture, capture->buffer);
  return report;
}

void corod_capture_close(struct corod_capture *capture) {
  if (capture->fd >= 0)
    close(capture->fd);
  free(capture->buffer);
  capture->buffer = NULL;
  capture->fd = -1;
}
