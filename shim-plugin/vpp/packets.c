// packets.c: packets of nodes into VPP's graph: copied into VPP's own buffers, with metadata that VPP's nodes can
// stand.
//
// What the daemon says is hostile until checked: an interface index that does not exist, or a table index, makes graph
// nodes read past their tables. Packets of one pass to one node share a frame.
#include "plugin.h"

#include <vnet/ethernet/ethernet.h>
#include <vnet/fib/fib_table.h>
#include <vnet/vnet.h>

// What a packet may say about itself: that VPP made it (its TTL is not decremented, for one).
#define ALLOWED_FLAGS VNET_BUFFER_F_LOCALLY_ORIGINATED

typedef struct {
  u32 node;
  vlib_frame_t *frame;
} open_frame_t;

static open_frame_t *open_frames; // a vector

void corod_vpp_flush_frames(vlib_main_t *vm) {
  open_frame_t *o;
  vec_foreach (o, open_frames)
    vlib_put_frame_to_node(vm, o->node, o->frame); // never empty
  vec_reset_length(open_frames);
}

static void append(vlib_main_t *vm, u32 node, u32 buffer) {
  open_frame_t *o;
  vec_foreach (o, open_frames)
    if (o->node == node)
      break;
  if (o == vec_end(open_frames)) {
    vec_add2(open_frames, o, 1);
    o->node = node;
    o->frame = vlib_get_frame_to_node(vm, node);
    o->frame->n_vectors = 0;
    // A frame put by a process, or by nobody this pass, would wait for up to 10 ms.
    corod_vpp_poke();
  }
  u32 *buffers = vlib_frame_vector_args(o->frame);
  buffers[o->frame->n_vectors++] = buffer;
  if (o->frame->n_vectors == VLIB_FRAME_SIZE) {
    vlib_put_frame_to_node(vm, node, o->frame);
    vec_delete(open_frames, 1, o - open_frames);
  }
}

static bool interface_exists(u32 index) {
  return index != ~0u && vnet_get_sw_interface_or_null(vnet_get_main(), index) != NULL;
}

// Ethernet's nodes look the hardware up by it and do not check.
static bool is_ethernet(u32 index) {
  vnet_hw_interface_t *hw = vnet_get_sup_hw_interface(vnet_get_main(), index);
  return hw->hw_class_index == ethernet_hw_interface_class.index;
}

// Translates `tx` for a node of that kind.
static u32 tx_metadata(u8 kind, u32 tx, u32 *metadata) {
  *metadata = ~0u;
  if (tx == ~0u)
    return kind != COROD_TX_INTERFACE ? COROD_OK : COROD_UNSUPPORTED;
  if (kind == COROD_TX_NONE || kind == COROD_TX_ETHERNET)
    return COROD_UNSUPPORTED;
  if (!interface_exists(tx))
    return COROD_INTERFACE_UNKNOWN;
  if (kind == COROD_TX_INTERFACE)
    *metadata = tx;
  else
    *metadata = fib_table_get_index_for_sw_if_index(kind == COROD_TX_TABLE4 ? FIB_PROTOCOL_IP4 : FIB_PROTOCOL_IP6, tx);
  return *metadata != ~0u ? COROD_OK : COROD_UNSUPPORTED; // it has no such table
}

// A chain of buffers with `bytes` bytes in all, or ~0: none is kept.
static u32 copy_packet(vlib_main_t *vm, const u8 *packet, u32 bytes) {
  u32 each = vlib_buffer_get_default_data_size(vm), n = (bytes + each - 1) / each, buffers[64];
  if (n == 0 || n > ARRAY_LEN(buffers))
    return ~0u;
  u32 got = vlib_buffer_alloc(vm, buffers, n);
  if (got < n) {
    if (got)
      vlib_buffer_free(vm, buffers, got);
    return ~0u;
  }
  for (u32 i = 0, at = 0; i < n; i++) {
    vlib_buffer_t *b = vlib_get_buffer(vm, buffers[i]);
    u32 length = clib_min(each, bytes - at);
    b->current_data = 0;
    b->current_length = (u16)length;
    b->flags = 0;
    clib_memcpy_fast(b->data, packet + at, length);
    at += length;
    if (i + 1 < n) {
      b->next_buffer = buffers[i + 1];
      b->flags = VLIB_BUFFER_NEXT_PRESENT;
    }
  }
  vlib_buffer_t *first = vlib_get_buffer(vm, buffers[0]);
  first->flags |= VLIB_BUFFER_TOTAL_LENGTH_VALID;
  first->total_length_not_including_first_buffer = bytes - first->current_length;
  return buffers[0];
}

uint32_t corod_vpp_enqueue(void *host, struct corod_node *core, const struct corod_enqueue *to, const uint8_t *packet,
                           uint32_t bytes) {
  vlib_main_t *vm = corod_vpp.vm;
  corod_vpp_node_t *node = corod_vpp_node_of(core);
  u32 rx = to->rx == ~0u ? 0 : to->rx, tx; // local0 is always there
  (void)host;
  if (!node || to->next >= vec_len(node->next))
    return COROD_NEXT_UNKNOWN;
  if (bytes == 0 || bytes > COROD_MAX_PACKET)
    return COROD_TOO_BIG;
  u8 kind = node->tx[to->next];
  if (to->flags & ~(u32)ALLOWED_FLAGS)
    return COROD_UNSUPPORTED;
  if (!interface_exists(rx))
    return COROD_INTERFACE_UNKNOWN;
  u32 status = tx_metadata(kind, to->tx, &tx);
  if (status != COROD_OK)
    return status;
  if (kind == COROD_TX_ETHERNET && !is_ethernet(rx))
    return COROD_UNSUPPORTED;
  u32 buffer = copy_packet(vm, packet, bytes);
  if (buffer == ~0u)
    return COROD_NO_BUFFER;
  vlib_buffer_t *b = vlib_get_buffer(vm, buffer);
  // Nodes behind the next one read indexes from here: zero is one that exists, a left-over may not.
  clib_memset_u8(b->opaque, 0, sizeof b->opaque);
  clib_memset_u8(b->opaque2, 0, sizeof b->opaque2);
  vnet_buffer(b)->sw_if_index[VLIB_RX] = rx;
  vnet_buffer(b)->sw_if_index[VLIB_TX] = tx;
  b->flags |= to->flags;
  append(vm, node->next[to->next], buffer);
  return COROD_OK;
}
