// api.c: corod.api, handled on main by VPP's API process. Fields cross in network order; strings may lack their end.
#include "plugin.h"

#include <vlibapi/api.h>
#include <vlibmemory/api.h>
#include <vnet/api_errno.h>
#include <vnet/format_fns.h>

#include <corod.api_enum.h>
#include <corod.api_types.h>

static u16 msg_id_base;
#define REPLY_MSG_ID_BASE msg_id_base
#include <vlibapi/api_helper_macros.h>

static i32 error_of(u32 status) {
  switch (status) {
  case COROD_OK:
    return 0;
  case COROD_NODE_UNKNOWN:
  case COROD_TYPE_UNKNOWN:
    return VNET_API_ERROR_NO_SUCH_ENTRY;
  case COROD_FULL:
    return VNET_API_ERROR_LIMIT_EXCEEDED;
  case COROD_TOO_BIG:
    return VNET_API_ERROR_INVALID_VALUE;
  default:
    return VNET_API_ERROR_UNSPECIFIED;
  }
}

static void name_of(char into[COROD_NAME], const void *from) {
  memcpy(into, from, COROD_NAME);
  into[COROD_NAME - 1] = 0;
}

static void vl_api_corod_send_t_handler(vl_api_corod_send_t *mp) {
  vl_api_corod_send_reply_t *rmp;
  char name[COROD_NAME];
  u64 seq = 0;
  name_of(name, mp->node);
  struct corod_node *node = corod_vpp.core ? corod_node_find(corod_vpp.core, name) : NULL;
  // The API layer has checked that `length` bytes of data are there.
  u32 status = node ? corod_node_send(node, ntohl(mp->code), mp->data, ntohl(mp->length), &seq) : COROD_NODE_UNKNOWN;
  int rv = error_of(status);
  REPLY_MACRO2_ZERO(VL_API_COROD_SEND_REPLY, ({
                      rmp->status = htonl(status);
                      rmp->seq = clib_host_to_net_u64(seq);
                      snprintf((char *)rmp->text, sizeof rmp->text, "%s", corod_status_text(status));
                    }));
}

static_assert((int)COROD_NODE_STATE_PARKED == (int)COROD_NODE_IS_PARKED, "corod.api");
static_assert((int)COROD_OVERFLOW_POLICY_DROP_NEWEST == (int)COROD_OVERFLOW_DROP_NEWEST, "corod.api");
static_assert((int)COROD_ATTACHMENT_STATE_ENDING == (int)COROD_ATTACHED_ENDING, "corod.api");

// Fields of an answer that the core tells under the same name.
#define U32(field) rmp->field = htonl(i.field)

static void send_details(vl_api_registration_t *to, u32 context, struct corod_node *node) {
  vl_api_corod_node_details_t *rmp = vl_msg_api_alloc_zero(sizeof *rmp);
  const struct corod_node_spec *spec = corod_node_spec(node);
  struct corod_node_info i;
  corod_node_info(node, &i);
  rmp->_vl_msg_id = htons(VL_API_COROD_NODE_DETAILS + REPLY_MSG_ID_BASE);
  rmp->context = context;
  snprintf((char *)rmp->name, sizeof rmp->name, "%s", i.name);
  rmp->state = (vl_api_corod_node_state_t)i.is;
  rmp->closed = i.closed;
  rmp->overflow = (vl_api_corod_overflow_t)i.overflow;
  rmp->node_index = htonl(i.index);
  rmp->seq = clib_host_to_net_u64(i.seq);
  U32(slot);
  U32(generation);
  U32(executor);
  U32(event_ring);
  U32(reply_ring);
  U32(command_ring);
  U32(in_flight);
  U32(waiting);
  U32(waiting_bytes);
  U32(backlog);
  U32(backlog_bytes);
  U32(outcomes_waiting);
  U32(cli_waiting);
  rmp->codes = htonl(i.n_codes);
  rmp->next = htonl(spec->n_next);
  rmp->counters = htonl(spec->n_counters);
#define _(field) rmp->field = clib_host_to_net_u64(i.stats.field);
  foreach_corod_node_stat(_);
#undef _
  vl_api_send_msg(to, (u8 *)rmp);
}

static void vl_api_corod_node_dump_t_handler(vl_api_corod_node_dump_t *mp) {
  vl_api_registration_t *to = vl_api_client_index_to_registration(mp->client_index);
  char name[COROD_NAME];
  if (!to || !corod_vpp.core)
    return;
  name_of(name, mp->node);
  for (u32 slot = 1; slot < COROD_MAX_SLOTS; slot++) {
    struct corod_node *node = corod_node_at(corod_vpp.core, slot);
    if (node && (!name[0] || strcmp(name, corod_node_spec(node)->name) == 0))
      send_details(to, mp->context, node);
  }
}

static void fill(vl_api_corod_attachment_get_reply_t *rmp) {
  struct corod_core_info i;
  corod_core_info(corod_vpp.core, &i);
  rmp->state = (vl_api_corod_attachment_state_t)i.attached;
  snprintf((char *)rmp->program, sizeof rmp->program, "%s", i.program);
  rmp->age = clib_host_to_net_f64((f64)i.age / 1e9);
  U32(pid);
  U32(version);
  U32(executors);
  U32(nodes);
  U32(creating);
  U32(regions);
  U32(all_nodes);
  U32(in_flight);
  U32(waiting);
  U32(questions);
  rmp->epoch = clib_host_to_net_u64(i.epoch);
  rmp->memory = clib_host_to_net_u64(i.memory);
  rmp->accepted = clib_host_to_net_u64(i.accepted);
  rmp->dropped = clib_host_to_net_u64(i.dropped);
  rmp->redelivered = clib_host_to_net_u64(i.redelivered);
#define _(field) rmp->field = clib_host_to_net_u64(i.stats.field);
  foreach_corod_core_stat(_);
#undef _
}

static void vl_api_corod_attachment_get_t_handler(vl_api_corod_attachment_get_t *mp) {
  vl_api_corod_attachment_get_reply_t *rmp;
  u8 *text = NULL;
  int rv = corod_vpp.core ? 0 : VNET_API_ERROR_INIT_FAILED;
  if (corod_vpp.core)
    corod_show(corod_vpp.core, "attachment", corod_vpp_print, &text);
  else
    corod_vpp_print(&text, "%s", corod_vpp.failed ? corod_vpp.failed : "VPP is starting");
  REPLY_MACRO3_ZERO(VL_API_COROD_ATTACHMENT_GET_REPLY, vec_len(text), ({
                      if (corod_vpp.core)
                        fill(rmp);
                      snprintf((char *)rmp->socket, sizeof rmp->socket, "%s",
                               corod_vpp.config.socket ? corod_vpp.config.socket : "");
                      vl_api_vec_to_api_string(text, &rmp->text);
                    }));
  vec_free(text);
}

#include <corod.api.c>

static clib_error_t *corod_api_init(vlib_main_t *vm) {
  (void)vm;
  msg_id_base = setup_message_id_table();
  return NULL;
}

VLIB_INIT_FUNCTION(corod_api_init);
