// cli.c: what an operator types: show corod, corod send.
#include "plugin.h"

void corod_vpp_print(void *arg, const char *format_text, ...) {
  u8 **into = arg;
  char line[2048];
  va_list args;
  va_start(args, format_text);
  int n = vsnprintf(line, sizeof line, format_text, args);
  va_end(args);
  if (n > 0)
    vec_add(*into, line, clib_min((uword)n, sizeof line - 1));
}

static clib_error_t *show(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *command) {
  u8 *what = NULL, *text = NULL;
  clib_error_t *error = NULL;
  (void)command;
  if (!corod_vpp.core)
    return clib_error_return(0, "not listening: %s", corod_vpp.failed ? corod_vpp.failed : "VPP is starting");
  if (unformat(in, "threads")) {
    corod_vpp_lanes_show(vm);
    return NULL;
  }
  (void)unformat(in, "%U", unformat_line, &what);
  while (vec_len(what) && (what[vec_len(what) - 1] == ' ' || what[vec_len(what) - 1] == '\r'))
    vec_dec_len(what, 1);
  vec_add1(what, 0);
  if (corod_show(corod_vpp.core, (char *)what, corod_vpp_print, &text))
    vlib_cli_output(vm, "%v", text);
  else
    error = clib_error_return(0, "unknown: '%s'; try nodes, node NAME, attachment, threads", what);
  vec_free(what);
  vec_free(text);
  return error;
}

VLIB_CLI_COMMAND(corod_show_command, static) = {
    .path = "show corod",
    .short_help = "show corod [nodes | node NAME | attachment | threads]",
    .function = show,
    .is_mp_safe = 1,
};

static clib_error_t *send_event(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *command) {
  u8 *name = NULL, *bytes = NULL;
  u32 code;
  u64 seq;
  clib_error_t *error = NULL;
  (void)command;
  if (!unformat(in, "%s %u", &name, &code)) {
    error = clib_error_return(0, "usage: corod send NODE CODE [HEX]");
  } else {
    (void)unformat(in, "%U", unformat_hex_string, &bytes);
    struct corod_node *node = corod_vpp.core ? corod_node_find(corod_vpp.core, (char *)name) : NULL;
    u32 status = node ? corod_node_send(node, code, bytes, vec_len(bytes), &seq) : COROD_NODE_UNKNOWN;
    if (status == COROD_OK)
      vlib_cli_output(vm, "accepted as %lu", seq);
    else
      error = clib_error_return(0, "%s: %s", name, corod_status_text(status));
  }
  vec_free(name);
  vec_free(bytes);
  return error;
}

VLIB_CLI_COMMAND(corod_send_command, static) = {
    .path = "corod send",
    .short_help = "corod send NODE CODE [HEX]",
    .function = send_event,
    .is_mp_safe = 1,
};
