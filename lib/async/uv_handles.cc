// What is open on a loop, in words; and in debug mode, what it is doing.

#include <csignal>
#include <cstring>
#include <string>

#include "async/debug.h"
#include "async/uv_impl.h"
#include "async/uv_socket.h"

namespace async {

namespace {

template <typename Handle, typename Get>
std::string address_of(const Handle* handle, Get&& get) {
  sockaddr_storage address{};
  int size = sizeof address;
  const int result = get(handle, reinterpret_cast<sockaddr*>(&address), &size);
  return result < 0 ? std::string() : endpoint_of(address).text();
}

std::string tcp(const uv_tcp_t* handle) {
  const std::string local = address_of(handle, uv_tcp_getsockname);
  const std::string peer = address_of(handle, uv_tcp_getpeername);
  if (!peer.empty()) return "a connection from " + local + " to " + peer;
  return local.empty() ? "a socket" : "a listener on " + local;
}

std::string pipe(const uv_pipe_t* handle) {
  std::string name(1024, ' ');
  std::size_t size = name.size();
  if (uv_pipe_getsockname(handle, name.data(), &size) < 0) size = 0;
  name.resize(size);
  return name.empty() ? "a pipe or Unix socket" : "a Unix socket at " + name;
}

std::string in_words(const uv_handle_t* handle) {
  const void* const any = handle;
  switch (handle->type) {
    case UV_TCP:
      return tcp(static_cast<const uv_tcp_t*>(any));
    case UV_NAMED_PIPE:
      return pipe(static_cast<const uv_pipe_t*>(any));
    case UV_UDP:
      return "a datagram socket on " +
             address_of(static_cast<const uv_udp_t*>(any), uv_udp_getsockname);
    case UV_PROCESS:
      return "a child process with pid " +
             std::to_string(static_cast<const uv_process_t*>(any)->pid);
    case UV_SIGNAL:
      return "a watch for signal " + std::to_string(static_cast<const uv_signal_t*>(any)->signum);
    default:
      return uv_handle_type_name(handle->type);
  }
}

}  // namespace

std::string UvLoop::Impl::list_open_handles() {
  struct Walk {
    const Impl* impl;
    std::string lines;
  } walk{this, {}};
  const auto visit = [](uv_handle_t* handle, void* argument) {
    Walk& all = *static_cast<Walk*>(argument);
    const void* const own[] = {&all.impl->alarm_, &all.impl->wake_up_,
                               all.impl->tree_signal_.get()};
    for (const void* const each : own) {
      if (handle == each) return;
    }
    if (uv_is_closing(handle) == 0) all.lines += "  " + in_words(handle) + "\n";
  };
  uv_walk(&uv, visit, &walk);
  return walk.lines;
}

void UvLoop::Impl::print_tasks_on_signal() {
  tree_signal_ = std::make_unique<uv_signal_t>();
  require(uv_signal_init(&uv, tree_signal_.get()), "watch for SIGUSR1");
  const auto print = [](uv_signal_t*, int) { report_live_tasks(); };
  require(uv_signal_start(tree_signal_.get(), print, SIGUSR1), "watch for SIGUSR1");
  uv_unref(reinterpret_cast<uv_handle_t*>(tree_signal_.get()));
}

}  // namespace async
