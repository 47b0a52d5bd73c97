// What a server says about itself through rpc.v1.ReflectionService, made into messages that can be
// filled in without its .proto files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include "async/task.h"
#include "rpc/client.h"

namespace bankctl {

// The names of the server's services, sorted. Throws rpc::Error.
async::Task<std::vector<std::string>> list_services(rpc::Channel& server, rpc::Context context);

// The files that define a symbol. Owns every descriptor that it gives, and the messages made of them
// must not outlive it.
class Reflected {
 public:
  // Asks the server for the files. Throws rpc::Error, or Failure(protocol) when they do not fit.
  static async::Task<std::unique_ptr<Reflected>> fetch(rpc::Channel& server, std::string symbol,
                                                       rpc::Context context);

  const google::protobuf::DescriptorPool& pool() const { return pool_; }
  std::unique_ptr<google::protobuf::Message> make(const google::protobuf::Descriptor& type);

 private:
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
};

}  // namespace bankctl
