#include "rpc/server.h"

#include <string>
#include <utility>

#include "rpc/server_core.h"

namespace rpc {

Server::Server(async::Loop& loop, const ServerLimits& limits, ServerObserver& observer)
    : core_(std::make_unique<detail::ServerCore>(loop, limits, observer)) {
  handle<&Health::check>("rpc.v1.HealthService/Check", core_->health);
  handle<&Health::watch>("rpc.v1.HealthService/Watch", core_->health);
  handle<&Reflection::list_services>("rpc.v1.ReflectionService/ListServices", core_->reflection);
  handle<&Reflection::get_files>("rpc.v1.ReflectionService/GetFiles", core_->reflection);
}

Server::~Server() = default;

void Server::add(std::string_view method, const google::protobuf::Message& prototype,
                 const google::protobuf::Message& response, bool streams, void* service,
                 async::Task<> (*run)(detail::Call* call)) {
  const google::protobuf::MethodDescriptor& descriptor = detail::checked_method(
      method, *prototype.GetDescriptor(), *response.GetDescriptor(), streams);
  core_->add(detail::Handler{.name = std::string(method),
                             .descriptor = &descriptor,
                             .service = service,
                             .run = run,
                             .prototype = &prototype,
                             .response_prototype = &response});
}

void Server::serve(async::Listener listener) { core_->serve(std::move(listener)); }
void Server::serve(async::Stream connection) { core_->serve(std::move(connection)); }
Health& Server::health() noexcept { return core_->health; }
async::Task<> Server::drain(async::Deadline deadline) { return core_->drain(deadline); }
std::size_t Server::connection_count() const noexcept { return core_->open_connections(); }
std::size_t Server::calls_in_flight() const noexcept { return core_->calls_in_flight(); }

}  // namespace rpc
