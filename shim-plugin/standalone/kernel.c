// kernel.c: compares what rtnetlink says with what was told last, and tells the difference one change at a time.
//
// The kernel tells each change of an interface in order, but a slow reader loses messages (ENOBUFS). Then the readers
// of transitions are told that some are missing, everything is dumped afresh, and told as RESYNC.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "kernel.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1 << 20) // bytes asked for; the kernel may give less
#define READS_PER_TURN 16

static struct corod_link_state *find(const struct corod_kernel *kernel, uint32_t index) {
  for (uint32_t i = 0; i < kernel->n_links; i++)
    if (kernel->links[i].state.index == index)
      return &kernel->links[i];
  return NULL;
}

const struct corod_link_state *corod_kernel_link(const struct corod_kernel *kernel, uint32_t index) {
  return find(kernel, index);
}

static void tell(struct corod_kernel *kernel, const struct corod_interface *state, enum corod_change change,
                 const struct corod_address *address) {
  struct corod_interface transition = *state;
  if (kernel->first)
    return;
  transition.change = (uint8_t)change;
  if (address) {
    transition.family = address->family;
    transition.prefix = address->prefix;
    memcpy(transition.address, address->bytes, sizeof transition.address);
  }
  kernel->changed(kernel->arg, &transition);
}

// ---- links

static void read_link(const struct nlmsghdr *m, struct corod_interface *state) {
  const struct ifinfomsg *info = NLMSG_DATA(m);
  int left = (int)IFLA_PAYLOAD(m);
  memset(state, 0, sizeof *state);
  state->index = (uint32_t)info->ifi_index;
  state->admin = (info->ifi_flags & IFF_UP) != 0;
  // The flag is cleared with the administrative state; the attribute is the carrier itself.
  state->link = (info->ifi_flags & IFF_LOWER_UP) != 0;
  for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    size_t bytes = RTA_PAYLOAD(a);
    const uint8_t *data = RTA_DATA(a);
    if (a->rta_type == IFLA_IFNAME)
      memcpy(state->name, data, bytes < COROD_NAME - 1 ? bytes : COROD_NAME - 1);
    else if (a->rta_type == IFLA_MTU && bytes >= sizeof state->mtu)
      memcpy(&state->mtu, data, sizeof state->mtu);
    else if (a->rta_type == IFLA_ADDRESS && bytes == sizeof state->mac)
      memcpy(state->mac, data, sizeof state->mac);
    else if (a->rta_type == IFLA_CARRIER && bytes >= 1)
      state->link = data[0] != 0;
  }
}

static void remove_link(struct corod_kernel *kernel, struct corod_link_state *link) {
  struct corod_interface last = link->state;
  free(link->addresses);
  *link = kernel->links[--kernel->n_links];
  last.admin = last.link = 0;
  tell(kernel, &last, COROD_CHANGE_REMOVED, NULL);
}

static struct corod_link_state *add_link(struct corod_kernel *kernel, const struct corod_interface *state) {
  struct corod_link_state *more = realloc(kernel->links, (kernel->n_links + 1) * sizeof *more);
  if (!more)
    return NULL;
  kernel->links = more;
  more[kernel->n_links] = (struct corod_link_state){.state = *state};
  return &more[kernel->n_links++];
}

static void changed_link(struct corod_kernel *kernel, struct corod_link_state *link,
                         const struct corod_interface *now) {
  struct corod_interface *state = &link->state;
  // Who comes up gets its carrier after it is up, and loses it before it is down: tell it in that order.
  bool admin_first = now->admin;
  memcpy(state->mac, now->mac, sizeof state->mac);
  for (int step = 0; step < 2; step++) {
    if ((step == 0) == admin_first && state->admin != now->admin) {
      state->admin = now->admin;
      tell(kernel, state, COROD_CHANGE_ADMIN, NULL);
    }
    if ((step == 1) == admin_first && state->link != now->link) {
      state->link = now->link;
      tell(kernel, state, COROD_CHANGE_LINK, NULL);
    }
  }
  if (state->mtu != now->mtu) {
    state->mtu = now->mtu;
    tell(kernel, state, COROD_CHANGE_MTU, NULL);
  }
}

static void new_link(struct corod_kernel *kernel, const struct nlmsghdr *m, bool dumped) {
  const struct ifinfomsg *info = NLMSG_DATA(m);
  struct corod_interface now;
  if (m->nlmsg_len < NLMSG_LENGTH(sizeof *info) || info->ifi_family != AF_UNSPEC)
    return; // a bridge port's own message
  read_link(m, &now);
  struct corod_link_state *link = find(kernel, now.index);
  if (link && strcmp(link->state.name, now.name)) { // renamed: to whoever knows names it is another one
    remove_link(kernel, link);
    link = NULL;
  }
  if (!link) {
    link = add_link(kernel, &now);
    if (link)
      tell(kernel, &now, COROD_CHANGE_ADDED, NULL);
  } else if (dumped) {
    link->state = now;
    tell(kernel, &now, COROD_CHANGE_RESYNC, NULL);
  } else
    changed_link(kernel, link, &now);
  if (link && dumped)
    link->seen = true;
}

static void gone_link(struct corod_kernel *kernel, const struct nlmsghdr *m) {
  const struct ifinfomsg *info = NLMSG_DATA(m);
  if (m->nlmsg_len < NLMSG_LENGTH(sizeof *info) || info->ifi_family != AF_UNSPEC)
    return;
  struct corod_link_state *link = find(kernel, (uint32_t)info->ifi_index);
  if (link)
    remove_link(kernel, link);
}

// ---- addresses

static bool read_address(const struct nlmsghdr *m, struct corod_address *address) {
  const struct ifaddrmsg *info = NLMSG_DATA(m);
  int left = (int)IFA_PAYLOAD(m);
  bool found = false;
  memset(address, 0, sizeof *address);
  if (m->nlmsg_len < NLMSG_LENGTH(sizeof *info) || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
    return false;
  address->family = info->ifa_family == AF_INET ? 4 : 6;
  address->prefix = info->ifa_prefixlen;
  size_t size = info->ifa_family == AF_INET ? 4 : 16;
  for (const struct rtattr *a = IFA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
    // IFA_LOCAL is the interface's own; IFA_ADDRESS alone is it too, except on point-to-point links.
    if (RTA_PAYLOAD(a) == size && (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && !found))) {
      memcpy(address->bytes, RTA_DATA(a), size);
      found = true;
    }
  return found;
}

static struct corod_address *find_address(const struct corod_link_state *link, const struct corod_address *address) {
  for (uint32_t i = 0; i < link->n_addresses; i++)
    if (link->addresses[i].family == address->family && link->addresses[i].prefix == address->prefix &&
        !memcmp(link->addresses[i].bytes, address->bytes, sizeof address->bytes))
      return &link->addresses[i];
  return NULL;
}

static void remove_address(struct corod_kernel *kernel, struct corod_link_state *link, struct corod_address *at) {
  struct corod_address gone = *at;
  *at = link->addresses[--link->n_addresses];
  tell(kernel, &link->state, COROD_CHANGE_ADDRESS_REMOVED, &gone);
}

static void address(struct corod_kernel *kernel, const struct nlmsghdr *m, bool dumped) {
  const struct ifaddrmsg *info = NLMSG_DATA(m);
  struct corod_address read;
  if (!read_address(m, &read))
    return;
  struct corod_link_state *link = find(kernel, info->ifa_index);
  struct corod_address *known = link ? find_address(link, &read) : NULL;
  if (!link)
    return;
  if (m->nlmsg_type == RTM_DELADDR) {
    if (known)
      remove_address(kernel, link, known);
    return;
  }
  if (!known) { // else only its flags changed: duplicate address detection, lifetimes
    struct corod_address *more = realloc(link->addresses, (link->n_addresses + 1) * sizeof *more);
    if (!more)
      return;
    link->addresses = more;
    known = &more[link->n_addresses++];
    *known = read;
    tell(kernel, &link->state, COROD_CHANGE_ADDRESS_ADDED, known);
  }
  if (dumped)
    known->seen = true;
}

// ---- dumps

static void ask(struct corod_kernel *kernel, enum corod_dump dump) {
  struct {
    struct nlmsghdr header;
    struct rtgenmsg body;
  } request = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
                          .nlmsg_type = dump == COROD_DUMP_LINKS ? RTM_GETLINK : RTM_GETADDR,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                          .nlmsg_seq = ++kernel->sequence}};
  kernel->dump = dump;
  if (send(kernel->fd, &request, request.header.nlmsg_len, 0) < 0) {
    // No memory for so small a message: go on with what is known until the kernel says again that something was lost.
    kernel->dump = COROD_DUMP_NONE;
    kernel->first = false;
  }
}

static void begin_dump(struct corod_kernel *kernel) {
  kernel->again = false;
  for (uint32_t i = 0; i < kernel->n_links; i++) {
    kernel->links[i].seen = false;
    for (uint32_t a = 0; a < kernel->links[i].n_addresses; a++)
      kernel->links[i].addresses[a].seen = false;
  }
  ask(kernel, COROD_DUMP_LINKS);
}

static void dump_done(struct corod_kernel *kernel) {
  if (kernel->again) {
    begin_dump(kernel);
    return;
  }
  if (kernel->dump == COROD_DUMP_LINKS) {
    for (uint32_t i = kernel->n_links; i-- > 0;)
      if (!kernel->links[i].seen)
        remove_link(kernel, &kernel->links[i]);
    ask(kernel, COROD_DUMP_ADDRESSES);
    return;
  }
  for (uint32_t i = 0; i < kernel->n_links; i++)
    for (uint32_t a = kernel->links[i].n_addresses; a-- > 0;)
      if (!kernel->links[i].addresses[a].seen)
        remove_address(kernel, &kernel->links[i], &kernel->links[i].addresses[a]);
  kernel->dump = COROD_DUMP_NONE;
  kernel->first = false;
}

static void message(struct corod_kernel *kernel, const struct nlmsghdr *m) {
  bool dumped = kernel->dump != COROD_DUMP_NONE && m->nlmsg_seq == kernel->sequence && m->nlmsg_seq != 0;
  if (dumped && (m->nlmsg_flags & NLM_F_DUMP_INTR))
    kernel->again = true;
  switch (m->nlmsg_type) {
  case RTM_NEWLINK:
    new_link(kernel, m, dumped);
    break;
  case RTM_DELLINK:
    gone_link(kernel, m);
    break;
  case RTM_NEWADDR:
  case RTM_DELADDR:
    address(kernel, m, dumped);
    break;
  case NLMSG_ERROR:
  case NLMSG_DONE:
    if (dumped)
      dump_done(kernel);
    break;
  default:
    break;
  }
}

static void overflowed(struct corod_kernel *kernel) {
  kernel->overflows++;
  if (!kernel->first)
    kernel->missed(kernel->arg);
  if (kernel->dump == COROD_DUMP_NONE)
    begin_dump(kernel);
  else
    kernel->again = true;
}

static void readable(void *arg, uint32_t events) {
  struct corod_kernel *kernel = arg;
  _Alignas(struct nlmsghdr) static uint8_t buffer[65536];
  (void)events;
  for (int i = 0; i < READS_PER_TURN; i++) {
    struct sockaddr_nl from;
    struct iovec part = {buffer, sizeof buffer};
    struct msghdr header = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    ssize_t n = recvmsg(kernel->fd, &header, MSG_DONTWAIT);
    if (n < 0 && errno == ENOBUFS) {
      overflowed(kernel);
      continue;
    }
    if (n <= 0)
      return;
    if (from.nl_pid != 0) // anybody may send to this socket; only the kernel is believed
      continue;
    size_t left = (size_t)n;
    for (const struct nlmsghdr *m = (const void *)buffer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
      message(kernel, m);
  }
}

int corod_kernel_open(struct corod_kernel *kernel, struct corod_loop *loop) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
  int bytes = RECEIVE_BUFFER;
  kernel->loop = loop;
  kernel->first = true;
  kernel->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (kernel->fd < 0)
    return errno;
  // More than the limit needs a capability; without it the limit has to do.
  if (setsockopt(kernel->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
    setsockopt(kernel->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  int failed = bind(kernel->fd, (struct sockaddr *)&address, sizeof address) ? errno : 0;
  if (!failed && !(kernel->watch = corod_loop_watch(loop, kernel->fd, EPOLLIN, readable, kernel)))
    failed = errno;
  if (failed) {
    close(kernel->fd);
    kernel->fd = -1;
    return failed;
  }
  begin_dump(kernel);
  return 0;
}

void corod_kernel_close(struct corod_kernel *kernel) {
  if (kernel->fd < 0)
    return;
  corod_loop_unwatch(kernel->loop, kernel->watch);
  close(kernel->fd);
  for (uint32_t i = 0; i < kernel->n_links; i++)
    free(kernel->links[i].addresses);
  free(kernel->links);
  kernel->links = NULL;
  kernel->n_links = 0;
  kernel->fd = -1;
}
