#include "rpc/method.h"

#include <algorithm>
#include <stdexcept>

namespace rpc::detail {

namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw std::logic_error("method " + std::string(name) + " " + why);
}

}  // namespace

const google::protobuf::MethodDescriptor& checked_method(
    std::string_view name, const google::protobuf::Descriptor& request,
    const google::protobuf::Descriptor& response, bool streams) {
  std::string symbol(name);
  std::replace(symbol.begin(), symbol.end(), '/', '.');
  const google::protobuf::MethodDescriptor* const method =
      request.file()->pool()->FindMethodByName(symbol);
  if (method == nullptr || std::count(name.begin(), name.end(), '/') != 1) {
    refuse(name, "is in no .proto file");
  }
  if (method->input_type() != &request) {
    refuse(name, "takes " + method->input_type()->full_name() + ", not " + request.full_name());
  }
  if (method->output_type() != &response) {
    refuse(name, "gives " + method->output_type()->full_name() + ", not " + response.full_name());
  }
  if (method->client_streaming())
    refuse(name, "streams its requests, which the wire does not have");
  if (method->server_streaming() != streams) {
    refuse(name, method->server_streaming() ? "streams its responses" : "has a single response");
  }
  return *method;
}

}  // namespace rpc::detail
