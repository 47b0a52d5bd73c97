#include "rpc/reflection.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.pb.h>

namespace rpc {

namespace {

using google::protobuf::FileDescriptor;

// Imports first, each file once.
void collect(const FileDescriptor& file, std::set<const FileDescriptor*>& seen,
             std::vector<const FileDescriptor*>& files) {
  if (!seen.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) collect(*file.dependency(i), seen, files);
  files.push_back(&file);
}

}  // namespace

void Reflection::add(const google::protobuf::ServiceDescriptor& service) {
  services_.insert(service.full_name());
  pool_ = service.file()->pool();
}

async::Task<v1::ListServicesResponse> Reflection::list_services(v1::ListServicesRequest, Context) {
  v1::ListServicesResponse response;
  for (const std::string& service : services_) response.add_services(service);
  co_return response;
}

async::Task<> Reflection::get_files(v1::GetFilesRequest request, Context,
                                    Writer<v1::GetFilesResponse> writer) {
  // A method's name may be written as on the wire.
  std::string symbol = request.symbol();
  std::replace(symbol.begin(), symbol.end(), '/', '.');
  const FileDescriptor* const file = pool_->FindFileContainingSymbol(symbol);
  if (file == nullptr) {
    throw Error(StatusCode::not_found, "no service, method or message is called " + symbol);
  }
  std::set<const FileDescriptor*> seen;
  std::vector<const FileDescriptor*> files;
  collect(*file, seen, files);
  for (const FileDescriptor* const each : files) {
    google::protobuf::FileDescriptorProto definition;
    each->CopyTo(&definition);
    v1::GetFilesResponse response;
    response.set_file(definition.SerializeAsString());
    co_await writer.write(response);
  }
}

}  // namespace rpc
