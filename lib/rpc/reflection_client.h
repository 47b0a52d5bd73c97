// ReflectionClient: calls methods that this program was not built with, by asking the server what
// they look like.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include "async/task.h"
#include "rpc/client.h"
#include "rpc/context.h"

namespace rpc {

// Owned by whoever calls, and outlived by the channel; loop thread only. Throws Error: a call's
// status as it comes, and where nothing was sent INVALID_ARGUMENT for JSON that does not fit,
// NOT_FOUND for a service and UNIMPLEMENTED for a method that the server does not have, with a
// sentence that says what it does have.
class ReflectionClient {
 public:
  explicit ReflectionClient(Channel& channel);

  // "bank.v1.BankService", sorted.
  async::Task<std::vector<std::string>> services(Context context);
  // "bank.v1.BankService/Hold", in the order of the .proto file.
  async::Task<std::vector<std::string>> methods(std::string service, Context context);
  // `method` is "bank.v1.BankService/Hold". Fetches what it needs, once.
  async::Task<const google::protobuf::MethodDescriptor*> find(std::string method, Context context);

  // A request of defaults for people to fill in: all fields, one entry of each list, and the messages
  // within it. Pretty-printed.
  static std::string template_of(const google::protobuf::MethodDescriptor& method);

  using OnResponse = std::function<void(std::string json)>;
  // Makes the call; `on_response` gets each response as JSON on one line, with the names of the
  // .proto file and with every field.
  async::Task<> call(std::string method, std::string json, Context context, OnResponse on_response);

 private:
  async::Task<> fetch(std::string symbol, Context context);
  std::unique_ptr<google::protobuf::Message> request_of(
      const google::protobuf::MethodDescriptor& method, const std::string& json);

  Channel& channel_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory messages_;
};

}  // namespace rpc
