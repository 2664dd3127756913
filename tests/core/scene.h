// scene.h: a host with nothing in it but what tests look at, and the core on top, in this process and thread.
#ifndef COROD_TEST_SCENE_H
#define COROD_TEST_SCENE_H

#include "../../shim-plugin/core/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Ends the test program with the place of what does not hold.
#define CHECK(holds)                                                                                                   \
  do {                                                                                                                 \
    if (!(holds)) {                                                                                                    \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);                                       \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

#define CHECK_EQUAL(a, b)                                                                                              \
  do {                                                                                                                 \
    unsigned long long a_ = (unsigned long long)(a), b_ = (unsigned long long)(b);                                     \
    if (a_ != b_) {                                                                                                    \
      fprintf(stderr, "%s:%d: %s is %llu, not %s (%llu)\n", __FILE__, __LINE__, #a, a_, #b, b_);                       \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

#define SCENE_NODES 1100

struct scene_watch {
  int fd;
  void (*ready)(void *arg);
  void *arg;
  bool used;
};

// What a test may look at and set. One scene at a time.
struct scene {
  char folder[64], socket[80];
  struct corod_core *core;
  int epoll;
  struct scene_watch watches[128];
  uint64_t now; // the clock: only tests move it
  char last_log[512], all_log[16384];
  uint32_t logs;
  struct corod_node *nodes[SCENE_NODES]; // by index; NULL: removed
  uint32_t n_nodes, created, changed, removed, woken;
  bool defer; // node_create and node_change answer in scene_create_deferred
  struct corod_node *deferred[SCENE_NODES];
  uint32_t n_deferred;
  uint32_t create_status; // what node_create and node_change answer
  uint64_t counted[8];
  void (*when_counted)(void); // NULL: nothing
  uint32_t enqueued;
  struct corod_enqueue last_enqueue;
  uint8_t last_packet[COROD_MAX_PACKET];
  uint32_t last_packet_bytes;
  uint64_t jobs[256];
  char job_text[256][128];
  uint32_t n_jobs;
  bool answer_jobs; // cli echoes its text and is done before it returns
  uint32_t signals;
  char last_signal[COROD_NAME];
  uint64_t last_type, last_data;
};

extern struct scene scene;

// A fresh folder and core. `config` NULL: the defaults.
void scene_open(const struct corod_core_config *config);
void scene_close(void);

// One look at the descriptors; true if something was ready.
bool scene_turn(void);

// Turns until nothing is ready. At most `most` turns: a core that never rests fails the test.
void scene_settle(void);

// Answers the deferred creations.
void scene_create_deferred(void);

// Descriptors this process has open.
uint32_t scene_fds(void);

#endif
