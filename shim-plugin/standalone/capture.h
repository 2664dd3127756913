// capture.h: packets into a pcapng file, one interface of the file per next node. A full disk costs packets, no more.
#ifndef COROD_CAPTURE_H
#define COROD_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum corod_link {
  COROD_LINK_ETHERNET = 1,
  COROD_LINK_RAW = 101
}; // pcap's LINKTYPE_*: with and without Ethernet header

struct corod_capture_interface {
  const char *name;
  enum corod_link link;
};

struct corod_capture {
  int fd; // -1: none
  bool regular;
  bool failing;    // the last write failed
  bool has_header; // is in the file
  off_t good;      // bytes of whole blocks in the file
  uint8_t *buffer;
  size_t used;
  uint32_t buffered; // packets in the buffer
  uint64_t written, lost;
  const struct corod_capture_interface *interfaces;
  uint32_t n_interfaces;
};

// Creates or empties the file. 0, or an errno.
int corod_capture_open(struct corod_capture *capture, const char *path,
                       const struct corod_capture_interface *interfaces, uint32_t n);

// Adds a packet with a remark. Nothing happens if no file is open.
void corod_capture_add(struct corod_capture *capture, uint32_t interface, const uint8_t *packet, uint32_t bytes,
                       const char *remark);

// Writes what was added. Returns an errno when writing begins to fail, -1 when it works again, else 0.
int corod_capture_flush(struct corod_capture *capture);

void corod_capture_close(struct corod_capture *capture);

#endif
