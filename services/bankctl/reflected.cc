#include "bankctl/reflected.h"

#include <optional>
#include <utility>

#include <google/protobuf/descriptor.pb.h>

#include "ops/failure.h"
#include "rpc/v1/reflection.pb.h"

namespace bankctl {
namespace {

constinit const rpc::Method<rpc::v1::ListServicesRequest, rpc::v1::ListServicesResponse>
    list_services_method{"rpc.v1.ReflectionService/ListServices"};
constinit const rpc::StreamMethod<rpc::v1::GetFilesRequest, rpc::v1::GetFilesResponse>
    get_files_method{"rpc.v1.ReflectionService/GetFiles"};

}  // namespace

async::Task<std::vector<std::string>> list_services(rpc::Channel& server, rpc::Context context) {
  rpc::v1::ListServicesRequest request;
  const rpc::v1::ListServicesResponse response =
      co_await server.call(list_services_method, std::move(request), std::move(context));
  co_return std::vector<std::string>(response.services().begin(), response.services().end());
}

async::Task<std::unique_ptr<Reflected>> Reflected::fetch(rpc::Channel& server, std::string symbol,
                                                         rpc::Context context) {
  auto reflected = std::make_unique<Reflected>();
  rpc::v1::GetFilesRequest request;
  request.set_symbol(symbol);
  rpc::Responses<rpc::v1::GetFilesResponse> files =
      server.stream(get_files_method, std::move(request), std::move(context));
  while (true) {
    const std::optional<rpc::v1::GetFilesResponse> response = co_await files.next();
    if (!response) break;
    google::protobuf::FileDescriptorProto file;
    if (!file.ParseFromString(response->file()) || reflected->pool_.BuildFile(file) == nullptr) {
      throw ops::Failure(ops::ExitCode::protocol,
                         "The server describes " + symbol + " in a way that cannot be read");
    }
  }
  co_return reflected;
}

std::unique_ptr<google::protobuf::Message> Reflected::make(
    const google::protobuf::Descriptor& type) {
  return std::unique_ptr<google::protobuf::Message>(factory_.GetPrototype(&type)->New());
}

}  // namespace bankctl
