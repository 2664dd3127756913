// ask.c: the CLI command that waits for a node's answer.
#include "plugin.h"

#define ASK_USUAL 5.0   // seconds
#define ASK_MOST 3600.0 // seconds
#define ASK_LOOK 0.001  // seconds between two looks at whether the answer is there

// On the stack of the process that asks: it stays until it was told.
typedef struct {
  bool told;
  u32 status;
  u8 *bytes; // a vector
} asked_t;

static void answered(void *arg, uint32_t status, const void *bytes, uint32_t n) {
  asked_t *asked = arg;
  asked->told = true;
  asked->status = status;
  vec_add(asked->bytes, (const u8 *)bytes, n);
}

static clib_error_t *wait_for(vlib_main_t *vm, const u8 *name, asked_t *asked) {
  clib_error_t *error = NULL;
  // The CLI's process has events of its own, so that only a clock can end its wait.
  while (!asked->told)
    vlib_process_suspend(vm, ASK_LOOK);
  if (asked->status == COROD_OK)
    vlib_cli_output(vm, "%U", format_hex_bytes_no_wrap, asked->bytes, vec_len(asked->bytes));
  else {
    u8 *byte;
    vec_foreach (byte, asked->bytes) // the node's reason is text from outside
      if (*byte < ' ' || *byte == 127)
        *byte = ' ';
    error = clib_error_return(0, "%s: %s%s%v", name, corod_status_text(asked->status),
                              vec_len(asked->bytes) ? ": " : "", asked->bytes);
  }
  vec_free(asked->bytes);
  return error;
}

static clib_error_t *ask_node(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *command) {
  u8 *name = NULL, *bytes = NULL;
  u32 code;
  u64 seq;
  f64 seconds = ASK_USUAL;
  clib_error_t *error = NULL;
  (void)command;
  bool valid = unformat(in, "%s %u", &name, &code);
  while (valid && unformat_check_input(in) != UNFORMAT_END_OF_INPUT)
    if (unformat(in, "within %f", &seconds))
      valid = seconds > 0 && seconds <= ASK_MOST;
    else
      valid = !bytes && unformat(in, "%U", unformat_hex_string, &bytes);
  if (!valid)
    error = clib_error_return(0, "usage: corod ask NODE CODE [HEX] [within SECONDS] (SECONDS: up to %.0f)", ASK_MOST);
  else if (!vlib_in_process_context(vm))
    error = clib_error_return(0, "only from where a command may wait");
  else {
    asked_t asked = {0};
    struct corod_node *node = corod_vpp.core ? corod_node_find(corod_vpp.core, (char *)name) : NULL;
    u32 status = node ? corod_node_ask(node, code, bytes, vec_len(bytes), answered, &asked,
                                       corod_vpp_now(NULL) + (u64)(seconds * 1e9), &seq, NULL)
                      : COROD_NODE_UNKNOWN;
    error = status == COROD_OK ? wait_for(vm, name, &asked)
                               : clib_error_return(0, "%s: %s", name, corod_status_text(status));
  }
  vec_free(name);
  vec_free(bytes);
  return error;
}

VLIB_CLI_COMMAND(corod_ask_command, static) = {
    .path = "corod ask",
    .short_help = "corod ask NODE CODE [HEX] [within SECONDS]",
    .function = ask_node,
    .is_mp_safe = 1,
};
