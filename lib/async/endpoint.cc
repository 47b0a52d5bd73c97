#include "async/endpoint.h"

#include <algorithm>
#include <charconv>

#include <uv.h>

namespace async {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw std::invalid_argument("'" + std::string(text) + "' is not an address: " + std::string(why) +
                              ". Write HOST:PORT, [IPv6]:PORT or unix:PATH");
}

Endpoint parse_unix(std::string_view text, std::string_view path) {
  if (path.empty()) refuse(text, "the path is empty");
  if (path.size() > Endpoint::unix_path_size_max) refuse(text, "the path is longer than 107 bytes");
  return Endpoint{.kind = Endpoint::Kind::unix_socket, .host = std::string(path), .port = 0};
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text) {
  const auto is_control = [](char c) { return c == '\x7f' || (c >= '\0' && c < ' '); };
  if (std::ranges::any_of(text, is_control)) refuse(text, "it holds a control character");
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) return parse_unix(text, text.substr(unix_prefix.size()));

  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) refuse(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) refuse(text, "brackets are for an IPv6 address");
  } else if (host.find(':') != std::string_view::npos) {
    refuse(text, "an IPv6 address is written in brackets");
  }
  if (host.empty()) refuse(text, "the host is missing");
  if (host.contains(' ')) refuse(text, "the host holds a space");

  std::uint16_t port = 0;
  const char* const end = port_text.data() + port_text.size();
  const auto [rest, error] = std::from_chars(port_text.data(), end, port);
  if (error != std::errc{} || rest != end) refuse(text, "the port is not a number from 0 to 65535");
  return Endpoint{.kind = Kind::tcp, .host = std::string(host), .port = port};
}

std::string Endpoint::text() const {
  if (kind == Kind::unix_socket) return "unix:" + host;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

IoError::IoError(int code, const std::string& what_was_tried)
    : std::runtime_error("cannot " + what_was_tried + ": " + uv_strerror(code)), code_(code) {}

std::string IoError::name() const { return uv_err_name(code_); }

}  // namespace async
