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

static void send_details(vl_api_registration_t *to, u32 context, const struct corod_node *core,
                         const corod_vpp_node_t *node) {
  vl_api_corod_node_details_t *rmp = vl_msg_api_alloc_zero(sizeof *rmp);
  const struct corod_node_spec *spec = corod_node_spec(core);
  u32 slot, generation;
  corod_node_handle(core, &slot, &generation);
  rmp->_vl_msg_id = htons(VL_API_COROD_NODE_DETAILS + REPLY_MSG_ID_BASE);
  rmp->context = context;
  snprintf((char *)rmp->name, sizeof rmp->name, "%s", spec->name);
  rmp->node_index = htonl(node->index);
  rmp->slot = htonl(slot);
  rmp->generation = htonl(generation);
  rmp->next = htons((u16)spec->n_next);
  rmp->counters = htons((u16)spec->n_counters);
  vl_api_send_msg(to, (u8 *)rmp);
}

static void vl_api_corod_node_dump_t_handler(vl_api_corod_node_dump_t *mp) {
  vl_api_registration_t *to = vl_api_client_index_to_registration(mp->client_index);
  corod_vpp_node_t **node;
  char name[COROD_NAME];
  if (!to)
    return;
  name_of(name, mp->node);
  vec_foreach (node, corod_vpp.nodes)
    if ((*node)->core && (!name[0] || strcmp(name, (*node)->name) == 0))
      send_details(to, mp->context, (*node)->core, *node);
}

static void vl_api_corod_attachment_get_t_handler(vl_api_corod_attachment_get_t *mp) {
  vl_api_corod_attachment_get_reply_t *rmp;
  corod_vpp_node_t **node;
  u8 *text = NULL;
  u32 nodes = 0;
  int rv = corod_vpp.core ? 0 : VNET_API_ERROR_INIT_FAILED;
  vec_foreach (node, corod_vpp.nodes)
    nodes += (*node)->core != NULL;
  if (corod_vpp.core)
    corod_show(corod_vpp.core, "attachment", corod_vpp_print, &text);
  else
    corod_vpp_print(&text, "%s", corod_vpp.failed ? corod_vpp.failed : "VPP is starting");
  REPLY_MACRO3_ZERO(VL_API_COROD_ATTACHMENT_GET_REPLY, vec_len(text), ({
                      rmp->nodes = htonl(nodes);
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
