// How debug mode names what it speaks of. Not for others.
#pragma once

#include <source_location>
#include <string>
#include <string_view>

namespace async::detail {

// The function's name alone, of what a compiler calls it: "rpc::Server::serve" of
// "async::Task<> rpc::Server::serve(async::Listener)".
std::string function_name(std::string_view pretty);

// "serve (rpc/server.cc:120)".
std::string named(const std::source_location& place);

std::string readable_type(const char* mangled);

}  // namespace async::detail
