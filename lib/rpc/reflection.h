// Reflection: tells what a server can be asked. Every server answers rpc.v1.ReflectionService with
// it.
#pragma once

#include <set>
#include <string>

#include <google/protobuf/descriptor.h>

#include "async/task.h"
#include "rpc/call.h"
#include "rpc/context.h"
#include "rpc/v1/reflection.pb.h"

namespace rpc {

// Owned by its Server; loop thread only.
class Reflection {
 public:
  void add(const google::protobuf::ServiceDescriptor& service);

  // The handlers.
  async::Task<v1::ListServicesResponse> list_services(v1::ListServicesRequest request,
                                                      Context context);
  async::Task<> get_files(v1::GetFilesRequest request, Context context,
                          Writer<v1::GetFilesResponse> writer);

 private:
  std::set<std::string> services_;
  const google::protobuf::DescriptorPool* pool_ = nullptr;
};

}  // namespace rpc
