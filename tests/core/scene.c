// scene.c: the test's host.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "scene.h"

#include <dirent.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

struct scene scene;

static uint64_t now(void *host) {
  (void)host;
  return scene.now;
}

static void log_line(void *host, enum corod_log_level level, const char *line) {
  (void)host;
  (void)level;
  snprintf(scene.last_log, sizeof scene.last_log, "%s", line);
  size_t used = strlen(scene.all_log);
  snprintf(scene.all_log + used, sizeof scene.all_log - used, "%s\n", line);
  scene.logs++;
}

static int watch(void *host, int fd, void (*ready)(void *), void *arg, const char *what) {
  (void)host;
  CHECK(what && *what);
  for (int i = 0; i < 128; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    if (scene.watches[i].used)
      continue;
    if (epoll_ctl(scene.epoll, EPOLL_CTL_ADD, fd, &event))
      return -1;
    scene.watches[i] = (struct scene_watch){fd, ready, arg, true};
    return i;
  }
  return -1;
}

static void unwatch(void *host, int token) {
  (void)host;
  CHECK(scene.watches[token].used);
  CHECK(epoll_ctl(scene.epoll, EPOLL_CTL_DEL, scene.watches[token].fd, NULL) == 0);
  scene.watches[token].used = false;
}

static bool name_taken(void *host, const char *name) {
  (void)host;
  return !strcmp(name, "ip4-lookup");
}

static void created(struct corod_node *node) {
  bool changes = corod_node_wanted(node) != NULL;
  if (scene.create_status != COROD_OK) {
    corod_node_created(node, scene.create_status, 0, "the test's host does not want it");
    return;
  }
  if (changes) {
    struct corod_node **at = corod_node_host_data(node);
    scene.changed++;
    corod_node_created(node, COROD_OK, (uint32_t)(at - scene.nodes), "");
    return;
  }
  scene.nodes[scene.n_nodes] = node;
  corod_node_set_host_data(node, &scene.nodes[scene.n_nodes]);
  scene.created++;
  corod_node_created(node, COROD_OK, scene.n_nodes++, "");
}

static void node_create(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host;
  CHECK(spec == corod_node_spec(node));
  if (scene.defer)
    scene.deferred[scene.n_deferred++] = node;
  else
    created(node);
}

void scene_create_deferred(void) {
  uint32_t n = scene.n_deferred;
  scene.n_deferred = 0;
  for (uint32_t i = 0; i < n; i++)
    created(scene.deferred[i]);
}

static void node_change(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host;
  CHECK(spec == corod_node_wanted(node));
  if (scene.defer)
    scene.deferred[scene.n_deferred++] = node;
  else
    created(node);
}

static void node_remove(void *host, struct corod_node *node) {
  (void)host;
  struct corod_node **at = corod_node_host_data(node);
  for (uint32_t i = 0; i < scene.n_deferred; i++) // the change that was asked for
    if (scene.deferred[i] == node)
      scene.deferred[i] = scene.deferred[--scene.n_deferred];
  CHECK(*at == node);
  *at = NULL;
  scene.removed++;
}

static void node_wake(void *host, struct corod_node *node) {
  (void)host;
  (void)node;
  scene.woken++;
}

static void count(void *host, struct corod_node *node, uint32_t counter, uint64_t by) {
  (void)host;
  CHECK(counter < corod_node_spec(node)->n_counters);
  scene.counted[counter] += by;
  if (scene.when_counted)
    scene.when_counted();
}

static uint32_t enqueue(void *host, struct corod_node *node, const struct corod_enqueue *to, const uint8_t *packet,
                        uint32_t bytes) {
  (void)host;
  CHECK(to->next < corod_node_spec(node)->n_next && bytes > 0 && bytes <= COROD_MAX_PACKET);
  scene.enqueued++;
  scene.last_enqueue = *to;
  memcpy(scene.last_packet, packet, bytes);
  scene.last_packet_bytes = bytes;
  return to->flags ? COROD_UNSUPPORTED : COROD_OK;
}

static void cli(void *host, uint64_t job, const char *text) {
  (void)host;
  CHECK(scene.n_jobs < 256);
  scene.jobs[scene.n_jobs] = job;
  snprintf(scene.job_text[scene.n_jobs++], sizeof scene.job_text[0], "%s", text);
  if (scene.answer_jobs) {
    corod_cli_output(scene.core, job, text, strlen(text));
    corod_cli_done(scene.core, job, COROD_OK);
  }
}

static uint32_t signal_node(void *host, const char *node, uint64_t type, uint64_t data) {
  (void)host;
  scene.signals++;
  snprintf(scene.last_signal, sizeof scene.last_signal, "%s", node);
  scene.last_type = type;
  scene.last_data = data;
  return COROD_OK;
}

static const struct corod_host_ops ops = {
    .name = "test",
    .release = "1",
    .now = now,
    .log = log_line,
    .watch = watch,
    .unwatch = unwatch,
    .name_taken = name_taken,
    .node_create = node_create,
    .node_change = node_change,
    .node_remove = node_remove,
    .node_wake = node_wake,
    .count = count,
    .enqueue = enqueue,
    .cli = cli,
    .signal = signal_node,
};

void scene_open(const struct corod_core_config *config) {
  struct corod_core_config own;
  char error[256];
  memset(&scene, 0, sizeof scene);
  signal(SIGPIPE, SIG_IGN);
  scene.now = 1000000000;
  strcpy(scene.folder, "/tmp/corod-core-XXXXXX");
  CHECK(mkdtemp(scene.folder));
  snprintf(scene.socket, sizeof scene.socket, "%s/s", scene.folder);
  scene.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (config)
    own = *config;
  else
    corod_core_defaults(&own);
  own.socket = scene.socket;
  scene.core = corod_core_new(&ops, NULL, &own, error, sizeof error);
  if (!scene.core)
    fprintf(stderr, "%s\n", error);
  CHECK(scene.core);
}

void scene_close(void) {
  corod_core_free(scene.core);
  close(scene.epoll);
  for (int i = 0; i < 128; i++)
    CHECK(!scene.watches[i].used);
  // The socket and its lock are gone: the folder is empty.
  CHECK(rmdir(scene.folder) == 0);
}

bool scene_turn(void) {
  struct epoll_event events[32];
  int n = epoll_wait(scene.epoll, events, 32, 0);
  CHECK(n >= 0);
  for (int i = 0; i < n; i++) {
    struct scene_watch *w = &scene.watches[events[i].data.u32];
    if (w->used)
      w->ready(w->arg);
  }
  return n > 0;
}

void scene_settle(void) {
  int turns = 0;
  while (scene_turn())
    CHECK(++turns < 100000);
}

uint32_t scene_fds(void) {
  uint32_t n = 0;
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder);
  while (readdir(folder))
    n++;
  closedir(folder);
  return n;
}
