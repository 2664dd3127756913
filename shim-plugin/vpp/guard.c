// guard.c: commands that would suspend while the workers stand at the barrier are refused to nodes.
//
// vlib runs a command that is not marked mp-safe under the worker barrier; if it waits there, no worker forwards for
// as long. vlib cannot tell which commands wait, so this is a list: read from the sources of VPP 26.06, and extended
// by `cli-refuse` in startup.conf. vlib calls the performance callbacks right before and after each command's function,
// also of commands in scripts (`exec`) and of several on one line, which no look at the text would find: there the
// function is changed for one that refuses, and changed back.
#include "plugin.h"

static const char *const suspending[] = {
    "wait",                       // vlib/unix/cli.c
    "test bier",                  // plugins/unittest, this and the next ones
    "test fib",                   //
    "test session",               //
    "test stats histogram-gen",   //
    "test stats ring-buffer-gen", //
    "test tcp",                   //
    "test udp",                   //
    "test tls client",            // plugins/hs_apps
    "test sasc run",              // plugins/sasc, this and the next ones
    "test sasc run-all",          //
    "test sasc run-id",           //
};

static vlib_cli_command_function_t *saved;
static bool refused;

static clib_error_t *refuse(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *command) {
  (void)vm, (void)command;
  refused = true;
  // What is left of the text is not run as a further command.
  while (unformat_get_input(in) != UNFORMAT_END_OF_INPUT)
    ;
  return clib_error_return(0, "refused: it would wait while the worker threads are stopped");
}

// A registered command's path is a vector, without an end that C would see.
static bool is(const char *path, const char *command) {
  return vec_len(path) == strlen(command) && memcmp(path, command, vec_len(path)) == 0;
}

static bool listed(const char *path) {
  char **more;
  for (u32 i = 0; i < ARRAY_LEN(suspending); i++)
    if (is(path, suspending[i]))
      return true;
  vec_foreach (more, corod_vpp.cli_refuse)
    if (is(path, *more))
      return true;
  return false;
}

// Nothing suspends between the two calls of one refused command: `saved` needs no stack.
static void around(vlib_cli_main_t *cm, u32 id, int after) {
  vlib_cli_command_t *command = vec_elt_at_index(cm->commands, id);
  if (!corod_vpp_runner_barrier(vlib_get_main(), after || command->is_mp_safe ? NULL : command->path))
    return;
  if (after) {
    if (command->function == refuse)
      command->function = saved;
  } else if (listed(command->path)) {
    saved = command->function;
    command->function = refuse;
  }
}

void corod_vpp_guard_init(void) {
  vlib_cli_main_t *cm = &vlib_get_global_main()->cli_main;
  vec_add1(cm->perf_counter_cbs, around);
}

bool corod_vpp_guard_refused(void) {
  bool was = refused;
  refused = false;
  return was;
}
