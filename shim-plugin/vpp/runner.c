// runner.c: VPP's CLI for nodes: a small pool of processes that do nothing else. A command runs, and may wait, in the
// process it is given to; a node's own process must never be that one. The core keeps a node's commands serial.
#include "plugin.h"

// Commands of all nodes that may wait for a runner.
#define MAX_WAITING 1024

typedef struct {
  u64 job;
  char *text;
} job_t;

typedef struct {
  u32 index;   // node index
  u32 runtime; // index in vlib's processes
  bool busy;
  char *barrier; // path, a vector of vlib's, of the command that runs under the worker barrier; NULL: none does
  bool stopped;  // told that it waits there
  job_t now;
} runner_t;

static runner_t **runners; // a vector
static job_t *waiting;     // a vector, oldest first

static runner_t *current(vlib_main_t *vm) {
  runner_t **r;
  vec_foreach (r, runners)
    if ((*r)->runtime == vm->node_main.current_process_index)
      return *r;
  return NULL;
}

bool corod_vpp_runner_barrier(vlib_main_t *vm, char *path) {
  runner_t *r = vm->thread_index == 0 ? current(vm) : NULL;
  if (r)
    r->barrier = path;
  return r != NULL;
}

static void output(uword arg, u8 *bytes, uword n) {
  runner_t *r = (runner_t *)arg;
  if (corod_vpp.core)
    corod_cli_output(corod_vpp.core, r->now.job, (char *)bytes, n);
}

static void run(vlib_main_t *vm, runner_t *r) {
  unformat_input_t in;
  u32 status;
  corod_vpp_guard_refused(); // an earlier refusal is not ours
  r->stopped = false;
  unformat_init_string(&in, r->now.text, (int)strlen(r->now.text));
  int failed = vlib_cli_input(vm, &in, output, (uword)r);
  unformat_free(&in);
  if (corod_vpp_guard_refused())
    status = COROD_CLI_SUSPENDS;
  else
    status = failed ? COROD_CLI_FAILED : COROD_OK;
  free(r->now.text);
  if (corod_vpp.core)
    corod_cli_done(corod_vpp.core, r->now.job, status);
}

// Its only events are wakes to an idle runner: a busy one gets none that a command (ping) could mistake for its own.
static uword runner(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  runner_t *r = *(runner_t **)runtime->runtime_data;
  (void)frame;
  for (;;) {
    while (vec_len(waiting)) {
      r->busy = true;
      r->now = waiting[0];
      vec_delete(waiting, 1, 0);
      run(vm, r);
      // Left-overs of commands that use events, so that the next wait is one.
      corod_vpp_drain(vm, NULL);
    }
    r->busy = false;
    vlib_process_wait_for_event(vm);
    corod_vpp_drain(vm, NULL);
  }
  return 0;
}

static runner_t *idle_runner(void) {
  runner_t **r;
  vec_foreach (r, runners)
    if (!(*r)->busy)
      return *r;
  return NULL;
}

void corod_vpp_cli(void *host, uint64_t job, const char *text) {
  (void)host;
  if (vec_len(waiting) >= MAX_WAITING) {
    corod_cli_done(corod_vpp.core, job, COROD_CLI_BUSY);
    return;
  }
  job_t j = {.job = job, .text = strdup(text)};
  vec_add1(waiting, j);
  runner_t *r = idle_runner();
  if (r) {
    r->busy = true; // the next command goes to another one
    vlib_process_signal_event(corod_vpp.vm, r->index, COROD_EVENT_WAKE, 0);
  } else if (vec_len(runners) < corod_vpp.runners) {
    vlib_process_signal_event(corod_vpp.vm, corod_vpp.manager, COROD_EVENT_WAKE, 0);
  }
}

void corod_vpp_make_runner(vlib_main_t *vm) {
  while (vec_len(waiting) && !idle_runner() && vec_len(runners) < corod_vpp.runners) {
    runner_t *r = clib_mem_alloc(sizeof *r);
    clib_memset(r, 0, sizeof *r);
    vlib_node_registration_t registration = {
        .function = runner,
        .type = VLIB_NODE_TYPE_PROCESS,
        .process_log2_n_stack_bytes = 18,
        .runtime_data = &r,
        .runtime_data_bytes = sizeof r,
    };
    vlib_worker_thread_barrier_sync(vm);
    vlib_register_node(vm, &registration, "corod-cli-%u", vec_len(runners));
    vlib_worker_thread_node_runtime_update();
    vlib_worker_thread_barrier_release(vm);
    r->index = registration.index;
    r->runtime = vlib_get_node(vm, r->index)->runtime_index;
    r->busy = true;
    vec_add1(runners, r);
    vlib_start_process(vm, r->runtime); // takes the oldest command and returns when that waits or nothing is left
  }
}

// A command that nobody knew to suspend under the barrier stands here with the workers stopped: it cannot be ended, but
// it is told once, with what keeps it out the next time.
void corod_vpp_watch_runners(vlib_main_t *vm) {
  runner_t **r;
  if (PREDICT_TRUE(vlib_get_n_threads() < 2 || vlib_worker_threads->recursion_level == 0))
    return;
  vec_foreach (r, runners) {
    vlib_process_t *p = vec_elt(vm->node_main.processes, (*r)->runtime);
    if (!(*r)->barrier || (*r)->stopped || p->state == VLIB_PROCESS_STATE_RUNNING)
      continue;
    (*r)->stopped = true;
    corod_err("the command '%s' of a node waits while the worker threads are stopped: add it to startup.conf: "
              "corod { cli-refuse { %v } }",
              (*r)->now.text, (*r)->barrier);
  }
}
