// interface.c: interface transitions from VPP's own callbacks, each at once, in order, with the state after it. VPP's
// API event ORs several together and loses their order.
#include "plugin.h"

#include <vnet/ethernet/ethernet.h>
#include <vnet/ip/ip4.h>
#include <vnet/ip/ip6.h>

// What was told last about an interface.
typedef struct {
  u32 mtu;
  u8 known, admin, link;
  u8 check; // in `to_check`
} told_t;

static told_t *told;         // by sw_if_index, a vector
static u32 *to_check;        // a vector
static _Atomic u32 off_main; // a callback came on another thread: the order is lost, all is told afresh

// Fills the state as VPP has it now. False: no such interface.
static bool state(u32 index, struct corod_interface *t) {
  vnet_main_t *vnm = vnet_get_main();
  vnet_sw_interface_t *sw = vnet_get_sw_interface_or_null(vnm, index);
  if (!sw)
    return false;
  vnet_hw_interface_t *hw = vnet_get_sup_hw_interface(vnm, index);
  *t = (struct corod_interface){
      .index = index,
      .admin = (sw->flags & VNET_SW_INTERFACE_FLAG_ADMIN_UP) != 0,
      .link = (hw->flags & VNET_HW_INTERFACE_FLAG_LINK_UP) != 0,
      .mtu = sw->mtu[VNET_MTU_L3],
  };
  if (hw->hw_class_index == ethernet_hw_interface_class.index && vec_len(hw->hw_address) == sizeof t->mac)
    memcpy(t->mac, hw->hw_address, sizeof t->mac);
  u8 *name = format(NULL, "%U", format_vnet_sw_if_index_name, vnm, index);
  memcpy(t->name, name, clib_min(vec_len(name), sizeof t->name - 1));
  vec_free(name);
  return true;
}

static void tell(struct corod_interface *t, enum corod_change change) {
  t->change = change;
  vec_validate(told, t->index);
  told_t *last = vec_elt_at_index(told, t->index);
  last->known = change != COROD_CHANGE_REMOVED;
  last->admin = t->admin;
  last->link = t->link;
  last->mtu = t->mtu;
  if (corod_vpp.core)
    corod_interface_changed(corod_vpp.core, t);
}

// Callbacks come on main. One that does not must not touch the core: it leaves a mark.
static bool on_main(void) {
  if (PREDICT_TRUE(vlib_get_thread_index() == 0))
    return true;
  atomic_store(&off_main, 1);
  vlib_node_set_interrupt_pending(corod_vpp.vm, corod_vpp.input);
  return false;
}

// VPP calls back before the driver agreed and takes the flags back silently if it does not: look once more.
static void check_later(u32 index) {
  told_t *last = vec_elt_at_index(told, index);
  if (last->check)
    return;
  last->check = 1;
  vec_add1(to_check, index);
  corod_vpp_poke();
}

static clib_error_t *admin_changed(vnet_main_t *vnm, u32 index, u32 flags) {
  struct corod_interface t;
  (void)vnm;
  if (on_main() && state(index, &t)) {
    t.admin = (flags & VNET_SW_INTERFACE_FLAG_ADMIN_UP) != 0;
    tell(&t, COROD_CHANGE_ADMIN);
    check_later(index);
  }
  return NULL;
}

// Called before VPP stores the new flags.
static clib_error_t *link_changed(vnet_main_t *vnm, u32 hw_index, u32 flags) {
  struct corod_interface t;
  if (on_main() && state(vnet_get_hw_interface(vnm, hw_index)->sw_if_index, &t)) {
    t.link = (flags & VNET_HW_INTERFACE_FLAG_LINK_UP) != 0;
    tell(&t, COROD_CHANGE_LINK);
    check_later(t.index);
  }
  return NULL;
}

static clib_error_t *mtu_changed(vnet_main_t *vnm, u32 index, u32 flags) {
  struct corod_interface t;
  (void)vnm, (void)flags;
  if (on_main() && state(index, &t))
    tell(&t, COROD_CHANGE_MTU);
  return NULL;
}

static clib_error_t *added_or_removed(vnet_main_t *vnm, u32 index, u32 is_add) {
  struct corod_interface t;
  (void)vnm;
  if (on_main() && state(index, &t))
    tell(&t, is_add ? COROD_CHANGE_ADDED : COROD_CHANGE_REMOVED);
  return NULL;
}

VNET_SW_INTERFACE_ADMIN_UP_DOWN_FUNCTION(admin_changed);
VNET_HW_INTERFACE_LINK_UP_DOWN_FUNCTION(link_changed);
VNET_SW_INTERFACE_MTU_CHANGE_FUNCTION(mtu_changed);
VNET_SW_INTERFACE_ADD_DEL_FUNCTION(added_or_removed);

static void address_changed(u32 index, u8 family, const void *address, u32 bytes, u32 prefix, u32 is_del) {
  struct corod_interface t;
  if (!on_main() || !state(index, &t))
    return;
  t.family = family;
  t.prefix = (u8)prefix;
  memcpy(t.address, address, bytes);
  tell(&t, is_del ? COROD_CHANGE_ADDRESS_REMOVED : COROD_CHANGE_ADDRESS_ADDED);
}

static void ip4_changed(ip4_main_t *im, uword opaque, u32 index, ip4_address_t *address, u32 prefix, u32 place,
                        u32 is_del) {
  (void)im, (void)opaque, (void)place;
  address_changed(index, 4, address, sizeof *address, prefix, is_del);
}

static void ip6_changed(ip6_main_t *im, uword opaque, u32 index, ip6_address_t *address, u32 prefix, u32 place,
                        u32 is_del) {
  (void)im, (void)opaque, (void)place;
  address_changed(index, 6, address, sizeof *address, prefix, is_del);
}

void corod_vpp_interfaces_init(void) {
  ip4_add_del_interface_address_callback_t four = {.function = ip4_changed};
  ip6_add_del_interface_address_callback_t six = {.function = ip6_changed};
  vec_add1(ip4_main.add_del_interface_address_callbacks, four);
  vec_add1(ip6_main.add_del_interface_address_callbacks, six);
}

static void resync(u32 index) {
  struct corod_interface t;
  if (state(index, &t))
    tell(&t, COROD_CHANGE_RESYNC);
}

static void resync_all(void) {
  vnet_sw_interface_t *sw;
  corod_interface_missed(corod_vpp.core);
  pool_foreach (sw, vnet_get_main()->interface_main.sw_interfaces)
    resync(sw->sw_if_index);
}

void corod_vpp_interfaces_check(void) {
  struct corod_interface t;
  u32 *index;
  if (PREDICT_FALSE(atomic_load_explicit(&off_main, memory_order_relaxed)) && atomic_exchange(&off_main, 0))
    resync_all();
  if (PREDICT_TRUE(vec_len(to_check) == 0))
    return;
  vec_foreach (index, to_check) {
    told_t *last = vec_elt_at_index(told, *index);
    last->check = 0;
    if (last->known && state(*index, &t) && (t.admin != last->admin || t.link != last->link))
      tell(&t, COROD_CHANGE_RESYNC);
  }
  vec_reset_length(to_check);
}
